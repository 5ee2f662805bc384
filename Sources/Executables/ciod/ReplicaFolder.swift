import CFiles
import Glibc
import Units

/// Looks into a replica's files from outside, while the engine may have them open.
struct ReplicaFolder {
    let path: String

    init(_ path: String) { self.path = path }

    private static let blockBytes: UInt64 = 512
    private static let pieceBytes = 1 << 20

    /// What all of its files take on the drive.
    func allocated() throws -> ByteCount {
        var sum: UInt64 = 0
        for name in ["data", "checksums", "regions", "state"] {
            var status = stat()
            guard stat("\(path)/\(name)", &status) == 0 else {
                throw Folders.failure("look at", "\(path)/\(name)")
            }
            sum += UInt64(status.st_blocks) * Self.blockBytes
        }
        return ByteCount(sum)
    }

    /// Whether no region was ever marked as written: the marks are durable before any data is,
    /// so that none means that all of the data is holes.
    func isUnwritten() throws -> Bool {
        let name = "\(path)/regions"
        let file = open(name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW)
        guard file >= 0 else { throw Folders.failure("open", name) }
        defer { close(file) }
        let piece = UnsafeMutableRawBufferPointer.allocate(
            byteCount: Self.pieceBytes, alignment: 4096)
        defer { piece.deallocate() }
        var offset = lseek(file, 0, Int32(cio_seek_data))
        while offset >= 0 {
            let count = pread(file, piece.baseAddress!, piece.count, offset)
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw Folders.failure("read", name) }
            if count == 0 { return true }
            guard piece.prefix(count).allSatisfy({ $0 == 0 }) else { return false }
            offset = lseek(file, offset + off_t(count), Int32(cio_seek_data))
        }
        guard errno == ENXIO else { throw Folders.failure("seek in", name) }
        return true
    }
}
