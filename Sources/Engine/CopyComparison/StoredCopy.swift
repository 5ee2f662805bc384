import DriveFormat
import Glibc
import Units

/// One copy of a volume on a drive, read only, through the page cache: for looking at copies at
/// rest, beside a `ciod` that may have them open.
final class StoredCopy {
    let path: String
    let slot: StateSlot
    private let data: Int32
    private let checksums: Int32
    private let regions: Int32

    /// lseek(2): shown by glibc to _GNU_SOURCE only.
    private static let seekData: Int32 = 3

    init(_ path: String) throws(ComparisonError) {
        self.path = path
        data = try Self.open("\(path)/data")
        checksums = try Self.open("\(path)/checksums")
        regions = try Self.open("\(path)/regions")
        let state = try Self.open("\(path)/state")
        defer { close(state) }
        var bytes = [UInt8](repeating: 0, count: StateFile.byteCount)
        try Self.read(state, "\(path)/state", at: 0, into: &bytes)
        slot = try Self.newestSlot(bytes, path)
    }

    private static func newestSlot(
        _ bytes: [UInt8], _ path: String
    ) throws(ComparisonError) -> StateSlot {
        do { return try bytes.withUnsafeBytes { try StateFile.newest($0.baseAddress!) } } catch {
            throw .notAReplica(path: path, reason: "\(error)")
        }
    }

    deinit {
        close(data)
        close(checksums)
        close(regions)
    }

    /// Where written data begins, at or after an offset; nil when there is none.
    func firstData(from offset: UInt64) throws(ComparisonError) -> UInt64? {
        let found = lseek(data, off_t(offset), Self.seekData)
        if found < 0, errno == ENXIO { return nil }
        guard found >= 0 else { throw .last("seek in", "\(path)/data") }
        return UInt64(found)
    }

    func readData(at offset: UInt64, into bytes: inout [UInt8]) throws(ComparisonError) {
        try Self.read(data, "\(path)/data", at: offset, into: &bytes)
    }

    /// The checksums of a page of blocks, as they are stored.
    func checksumPage(_ page: UInt64) throws(ComparisonError) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: ChecksumPage.byteCount)
        let offset = page * UInt64(ChecksumPage.byteCount)
        try Self.read(checksums, "\(path)/checksums", at: offset, into: &bytes)
        return bytes
    }

    /// Whether the stored checksums of a region are true: it was written, and not since the
    /// checksums were last made durable.
    func vouches(forRegion region: UInt64) throws(ComparisonError) -> Bool {
        let page = region / UInt64(RegionPage.stampsPerPage)
        var bytes = [UInt8](repeating: 0, count: RegionPage.byteCount)
        let offset = page * UInt64(RegionPage.byteCount)
        try Self.read(regions, "\(path)/regions", at: offset, into: &bytes)
        var stamps = [Stamp](repeating: .zero, count: RegionPage.stampsPerPage)
        do {
            try bytes.withUnsafeBytes {
                try RegionPage.decode($0.baseAddress!, index: Int(page), into: &stamps)
            }
        } catch { throw .notAReplica(path: path, reason: "\(error)") }
        let stamp = stamps[Int(region) % RegionPage.stampsPerPage]
        return stamp != .zero && stamp <= slot.checksummed
    }

    private static func open(_ path: String) throws(ComparisonError) -> Int32 {
        let descriptor = Glibc.open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW)
        guard descriptor >= 0 else { throw .last("open", path) }
        return descriptor
    }

    /// Fills `bytes`; what lies behind the end of the file is zeros.
    private static func read(
        _ descriptor: Int32, _ path: String, at offset: UInt64, into bytes: inout [UInt8]
    ) throws(ComparisonError) {
        var done = 0
        while done < bytes.count {
            let count = bytes.withUnsafeMutableBytes {
                pread(descriptor, $0.baseAddress! + done, $0.count - done,
                    off_t(offset) + off_t(done))
            }
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw .last("read", path) }
            guard count > 0 else { break }
            done += count
        }
        for index in done..<bytes.count { bytes[index] = 0 }
    }
}
