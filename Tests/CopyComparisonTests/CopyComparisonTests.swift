import DriveFormat
import Foundation
import Testing
import Units
import WireFormat

@testable import CopyComparison

/// Copies of one volume, written by the drive format.
private final class Copies {
    static let sizeBytes: UInt64 = 16 << 20
    let folder = FileManager.default.temporaryDirectory.path + "/cio-compare-\(UUID().uuidString)"
    private let volume = VolumeID.random()

    var paths: [String] { ["a", "b"].map { "\(folder)/\($0)" } }

    /// One block of data in each, the second region's first, with its checksum and its stamp.
    init() throws {
        for path in paths {
            try FileManager.default.createDirectory(
                atPath: path, withIntermediateDirectories: true)
            try write(slot(), to: path)
            for name in ["data", "checksums", "regions"] {
                FileManager.default.createFile(atPath: "\(path)/\(name)", contents: nil)
            }
            try overwrite("\(path)/data", at: 1 << 20, Self.block)
            try overwrite("\(path)/checksums", at: 256 * 4, Self.storedChecksum)
            try overwrite("\(path)/regions", at: 0, Self.regionPage(stamp: Stamp(1, 1)))
        }
    }

    deinit { try? FileManager.default.removeItem(atPath: folder) }

    static let block = [UInt8](repeating: 7, count: 4096)

    private static var storedChecksum: [UInt8] {
        let sum = block.withUnsafeBytes { BlockChecksums.checksum(ofBlock: $0.baseAddress!) }
        return withUnsafeBytes(of: ChecksumPage.stored(sum).littleEndian) { Array($0) }
    }

    private static func regionPage(stamp: Stamp) -> [UInt8] {
        var stamps = [Stamp](repeating: .zero, count: RegionPage.stampsPerPage)
        stamps[1] = stamp
        var bytes = [UInt8](repeating: 0, count: RegionPage.byteCount)
        bytes.withUnsafeMutableBytes {
            RegionPage.encode(stamps, index: 0, to: $0.baseAddress!)
        }
        return bytes
    }

    func slot() -> StateSlot {
        StateSlot(
            sequence: 2, cluster: .zero, drive: .zero, volume: volume, replica: .random(),
            sizeBytes: Self.sizeBytes, promised: 1, checkpoint: Stamp(1, 1),
            checksummed: Stamp(1, 1))
    }

    func write(_ slot: StateSlot, to path: String) throws {
        var bytes = [UInt8](repeating: 0, count: StateFile.byteCount)
        bytes.withUnsafeMutableBytes {
            slot.encode(to: $0.baseAddress! + Int(slot.fileOffset))
        }
        try Data(bytes).write(to: URL(fileURLWithPath: "\(path)/state"))
    }

    func overwrite(_ file: String, at offset: UInt64, _ bytes: [UInt8]) throws {
        let handle = try #require(FileHandle(forUpdatingAtPath: file))
        try handle.seek(toOffset: offset)
        try handle.write(contentsOf: Data(bytes))
        try handle.close()
    }
}

@Suite struct CopyComparisonTests {
    @Test func equalCopiesAreEqual() throws {
        let copies = try Copies()
        let report = try CopyComparison.compare(copies.paths)
        #expect(report.isEqual)
        #expect(report.copies == 2)
        #expect(report.bytesCompared == 4 << 20)
        // The region that was written, on both.
        #expect(report.checksumsVerified == 2 * 256)
    }

    @Test func oneByteThatDiffersIsFound() throws {
        let copies = try Copies()
        let place: UInt64 = 9 << 20
        try copies.overwrite("\(copies.paths[1])/data", at: place + 5, [1])
        let report = try CopyComparison.compare(copies.paths)
        #expect(report.faults.count == 1)
        #expect(report.faults.first?.hasSuffix("at byte \(place + 5)") == true)
    }

    @Test func aBlockThatHasRottenOnAllCopiesIsFoundByItsChecksum() throws {
        let copies = try Copies()
        for path in copies.paths {
            try copies.overwrite("\(path)/data", at: (1 << 20) + 100, [8])
        }
        let report = try CopyComparison.compare(copies.paths)
        #expect(report.faults.count == 2)
        #expect(report.faults.allSatisfy { $0.hasSuffix("the checksum of block 256 is wrong") })
    }

    @Test func checksumsOfLaterWritesAreNotBelieved() throws {
        let copies = try Copies()
        var slot = copies.slot()
        slot.checksummed = .zero
        for path in copies.paths { try copies.write(slot, to: path) }
        let report = try CopyComparison.compare(copies.paths)
        #expect(report.isEqual && report.checksumsVerified == 0)
    }

    @Test func copiesOfTwoVolumesAreNotCompared() throws {
        let (one, other) = (try Copies(), try Copies())
        #expect(throws: ComparisonError.otherVolume(path: other.paths[0])) {
            try CopyComparison.compare([one.paths[0], other.paths[0]])
        }
    }

    @Test func whatIsNoCopyIsToldAsSuch() throws {
        let copies = try Copies()
        let path = copies.paths[0]
        try Data(repeating: 0, count: 8192).write(to: URL(fileURLWithPath: "\(path)/state"))
        #expect(throws: ComparisonError.self) { try CopyComparison.compare([path]) }
        #expect(throws: ComparisonError.tooFew) { try CopyComparison.compare([]) }
    }
}
