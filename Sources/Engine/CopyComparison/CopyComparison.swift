import DriveFormat
import Glibc
import Units
import WireFormat

/// What a comparison of all copies of a volume has found.
public struct ComparisonReport: Equatable, Sendable {
    public var copies = 0
    public var volumeBytes: UInt64 = 0
    /// Bytes that at least one copy has written, and that were compared in all.
    public var bytesCompared: UInt64 = 0
    /// Blocks whose stored checksum was found to be true, on all copies together.
    public var checksumsVerified: UInt64 = 0
    /// One line each; the first few, when there are many.
    public var faults: [String] = []

    public var isEqual: Bool { faults.isEmpty }
}

/// Compares copies at rest: byte for byte, and each with its own checksums (invariant 8: when
/// nothing is in flight, in-sync replicas are equal).
///
/// Independent of the engine on purpose: it reads what is on the drives, by the format alone.
public enum CopyComparison {
    static let faultsMax = 20

    private static let blocksPerRegion =
        ChecksumPage.checksumsPerPage / ChecksumPage.regionsPerPage
    private static let blockBytes = Int(ChecksumPage.dataBytes) / ChecksumPage.checksumsPerPage

    /// - Parameter paths: the copies' directories, `<drive>/replicas/<volume>`.
    public static func compare(_ paths: [String]) throws(ComparisonError) -> ComparisonReport {
        var copies: [StoredCopy] = []
        for path in paths { copies.append(try StoredCopy(path)) }
        guard let first = copies.first else { throw .tooFew }
        for copy in copies
        where copy.slot.volume != first.slot.volume || copy.slot.sizeBytes != first.slot.sizeBytes {
            throw .otherVolume(path: copy.path)
        }
        var report = ComparisonReport()
        report.copies = copies.count
        report.volumeBytes = first.slot.sizeBytes
        var page: UInt64 = 0
        while let next = try nextPage(copies, from: page), report.faults.count < faultsMax {
            try compare(page: next, copies, &report)
            page = next + 1
        }
        return report
    }

    /// The next page of 4 MiB in which any copy holds data.
    private static func nextPage(
        _ copies: [StoredCopy], from page: UInt64
    ) throws(ComparisonError) -> UInt64? {
        var nearest: UInt64?
        for copy in copies {
            if let found = try copy.firstData(from: page * ChecksumPage.dataBytes) {
                nearest = min(nearest ?? .max, found / ChecksumPage.dataBytes)
            }
        }
        return nearest
    }

    private static func compare(
        page: UInt64, _ copies: [StoredCopy], _ report: inout ComparisonReport
    ) throws(ComparisonError) {
        let offset = page * ChecksumPage.dataBytes
        let count = Int(min(ChecksumPage.dataBytes, report.volumeBytes - offset))
        report.bytesCompared += UInt64(count)
        var expected: [UInt8] = []
        for copy in copies {
            var found = [UInt8](repeating: 0, count: count)
            try copy.readData(at: offset, into: &found)
            if expected.isEmpty { expected = found }
            if let place = firstDifference(expected, found) {
                let byte = offset + UInt64(place)
                report.faults.append("\(copy.path) differs from \(copies[0].path) at byte \(byte)")
            }
            try verify(copy, page: page, found, &report)
        }
    }

    private static func firstDifference(_ a: [UInt8], _ b: [UInt8]) -> Int? {
        guard memcmp(a, b, a.count) != 0 else { return nil }
        return a.indices.first { a[$0] != b[$0] }
    }

    /// The checksums of one page of blocks, where the copy vouches for them.
    private static func verify(
        _ copy: StoredCopy, page: UInt64, _ data: [UInt8], _ report: inout ComparisonReport
    ) throws(ComparisonError) {
        let stored = try copy.checksumPage(page)
        let firstRegion = page * UInt64(ChecksumPage.regionsPerPage)
        for region in 0..<ChecksumPage.regionsPerPage {
            let blocks = region * blocksPerRegion..<(region + 1) * blocksPerRegion
            guard blocks.lowerBound * blockBytes < data.count,
                try copy.vouches(forRegion: firstRegion + UInt64(region))
            else { continue }
            for block in blocks where (block + 1) * blockBytes <= data.count {
                let isTrue = data.withUnsafeBytes { data in
                    let sum = BlockChecksums.checksum(
                        ofBlock: data.baseAddress! + block * blockBytes)
                    return stored.withUnsafeBytes { BlockChecksums.get(block, of: $0.baseAddress!) }
                        == ChecksumPage.stored(sum)
                }
                if isTrue {
                    report.checksumsVerified += 1
                } else if report.faults.count < faultsMax {
                    let number = page * UInt64(ChecksumPage.checksumsPerPage) + UInt64(block)
                    report.faults.append("\(copy.path): the checksum of block \(number) is wrong")
                }
            }
        }
    }
}
