import CFiles
import Glibc
import Units

/// An open file that closes itself. Blocking; for setting up only.
struct File: ~Copyable {
    let descriptor: Int32
    let path: String

    init(_ path: String, _ flags: Int32, mode: mode_t = 0) throws(DriveError) {
        self.path = path
        var descriptor: Int32
        repeat {
            descriptor = Glibc.open(path, flags | O_CLOEXEC, mode)
        } while descriptor < 0
            && errno == EINTR
        guard descriptor >= 0 else { throw .last("open", path) }
        self.descriptor = descriptor
    }

    deinit { close(descriptor) }

    /// For direct I/O, to be read and written.
    static func direct(_ path: String, creating: Bool = false) throws(DriveError) -> File {
        let creation = creating ? O_CREAT | O_EXCL : 0
        return try File(path, O_RDWR | Int32(cio_o_direct) | creation, mode: 0o600)
    }

    func size() throws(DriveError) -> UInt64 {
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw .last("stat", path) }
        return UInt64(status.st_size)
    }

    func requireSize(_ expected: UInt64) throws(DriveError) {
        let found = try size()
        guard found == expected else {
            throw .wrongSize(path: path, found: found, expected: expected)
        }
    }

    func truncate(to bytes: UInt64) throws(DriveError) {
        guard ftruncate(descriptor, off_t(bytes)) == 0 else { throw .last("truncate", path) }
    }

    /// Gives the first `bytes` bytes their space, as zeros that SEEK_DATA still passes over.
    func allocate(_ bytes: UInt64) throws(DriveError) {
        let code = posix_fallocate(descriptor, 0, off_t(bytes))
        guard code == 0 else { throw .system(operation: "allocate", path: path, errno: code) }
    }

    func sync() throws(DriveError) {
        guard fsync(descriptor) == 0 else { throw .last("fsync", path) }
    }

    func read(_ count: Int, at offset: UInt64, into bytes: UnsafeMutableRawPointer)
        throws(DriveError)
    {
        var done = 0
        while done < count {
            let got = pread(descriptor, bytes + done, count - done, off_t(offset) + done)
            if got < 0, errno == EINTR { continue }
            guard got >= 0 else { throw .last("read", path) }
            guard got > 0 else {
                throw .wrongSize(
                    path: path, found: offset + UInt64(done), expected: offset + UInt64(count))
            }
            done += got
        }
    }

    func write(_ count: Int, at offset: UInt64, from bytes: UnsafeRawPointer) throws(DriveError) {
        var done = 0
        while done < count {
            let put = pwrite(descriptor, bytes + done, count - done, off_t(offset) + done)
            if put < 0, errno == EINTR { continue }
            guard put >= 0 else { throw .last("write", path) }
            done += put
        }
    }

    /// A small file that is not opened for direct I/O, up to `countMax` bytes of it.
    func readAll(_ countMax: Int) throws(DriveError) -> [UInt8] {
        var content = [UInt8](repeating: 0, count: min(Int(try size()), countMax))
        var done = 0
        while done < content.count {
            let got = content.withUnsafeMutableBytes {
                pread(descriptor, $0.baseAddress! + done, $0.count - done, off_t(done))
            }
            if got < 0, errno == EINTR { continue }
            guard got >= 0 else { throw .last("read", path) }
            if got == 0 { break }
            done += got
        }
        return Array(content.prefix(done))
    }

    /// Takes the lock of this description, which lasts until the last request on it has ended.
    func lock() throws(DriveError) {
        while flock(descriptor, LOCK_EX | LOCK_NB) != 0 {
            if errno == EINTR { continue }
            if errno == EWOULDBLOCK { throw .inUse(path: path) }
            throw .last("flock", path)
        }
    }

    /// The next piece at or after `offset` that is not a hole; nil at the end of the file.
    func data(from offset: UInt64) throws(DriveError) -> Range<UInt64>? {
        let start = lseek(descriptor, off_t(offset), Int32(cio_seek_data))
        if start < 0, errno == ENXIO { return nil }
        guard start >= 0 else { throw .last("seek data in", path) }
        let end = lseek(descriptor, start, Int32(cio_seek_hole))
        guard end >= 0 else { throw .last("seek hole in", path) }
        return UInt64(start)..<UInt64(end)
    }
}
