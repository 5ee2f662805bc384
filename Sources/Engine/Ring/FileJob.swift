import CAio
import Glibc

/// An operation on a file, as the libaio backend carries it to the kernel or its helper thread.
@safe struct FileJob: Sendable {
    enum Kind: UInt8 { case read, write, sync, syncData, allocate }

    var kind: Kind
    var file: Int32
    /// RWF_* of a write, the mode of an allocate.
    var flags: Int32
    nonisolated(unsafe) var bytes: UnsafeMutableRawPointer?
    var length: Int
    var offset: UInt64
    var tag: OperationTag

    @safe init(_ kind: Kind, _ file: Int32, bytes: UnsafeMutableRawPointer? = nil, length: Int = 0,
               offset: UInt64 = 0, flags: Int32 = 0, tag: OperationTag) {
        self.kind = kind
        self.file = file
        self.flags = flags
        unsafe self.bytes = bytes
        self.length = length
        self.offset = offset
        self.tag = tag
    }

    /// Does it with a blocking system call: the bytes moved, 0, or -errno.
    func perform() -> Int32 {
        while true {
            let result = call()
            if result >= 0 { return Int32(result) }
            if errno != EINTR { return -errno }
        }
    }

    private func call() -> Int {
        switch kind {
        case .read: return unsafe pread(file, bytes, length, off_t(offset))
        case .write:
            return unsafe cio_pwrite(file, bytes, length, offset, flags)
        case .sync: return Int(fsync(file))
        case .syncData: return Int(fdatasync(file))
        case .allocate: return cio_fallocate(file, flags, offset, UInt64(length))
        }
    }
}
