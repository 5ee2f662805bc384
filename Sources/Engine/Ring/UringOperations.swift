import CURing
import Glibc

/// One method per operation: fills one submission entry.
extension UringBackend {
    mutating func read(_ file: Int32, into bytes: UnsafeMutableRawPointer, length: UInt32,
                       at offset: UInt64, area: RegisteredArea, tag: OperationTag) {
        if area.isNone {
            unsafe io_uring_prep_read(entry(tag), file, bytes, length, offset)
        } else {
            unsafe io_uring_prep_read_fixed(entry(tag), file, bytes, length, offset, area.index)
        }
    }

    mutating func write(_ file: Int32, from bytes: UnsafeRawPointer, length: UInt32,
                        at offset: UInt64, durably: Bool, area: RegisteredArea, tag: OperationTag) {
        let entry = unsafe entry(tag)
        if area.isNone {
            unsafe io_uring_prep_write(entry, file, bytes, length, offset)
        } else {
            unsafe io_uring_prep_write_fixed(entry, file, bytes, length, offset, area.index)
        }
        if durably { unsafe entry.pointee.rw_flags = WriteFlags.dsync }
    }

    mutating func sync(_ file: Int32, dataOnly: Bool, tag: OperationTag) {
        unsafe io_uring_prep_fsync(entry(tag), file, dataOnly ? UInt32(IORING_FSYNC_DATASYNC) : 0)
    }

    mutating func allocate(_ file: Int32, mode: Int32, offset: UInt64, length: UInt64,
                           tag: OperationTag) {
        unsafe io_uring_prep_fallocate(entry(tag), file, mode, Int(offset), Int(length))
    }

    mutating func accept(_ listener: Int32, tag: OperationTag) {
        unsafe io_uring_prep_multishot_accept(entry(tag), listener, nil, nil,
                                       Int32(SOCK_CLOEXEC.rawValue))
    }

    mutating func connect(_ socket: Int32, to address: UnsafePointer<sockaddr>, length: socklen_t,
                          tag: OperationTag) {
        unsafe io_uring_prep_connect(entry(tag), socket, address, length)
    }

    mutating func receive(_ socket: Int32, into bytes: UnsafeMutableRawPointer, length: Int,
                          whole: Bool, tag: OperationTag) {
        unsafe io_uring_prep_recv(entry(tag), socket, bytes, length, whole ? MessageFlags.whole : 0)
    }

    mutating func send(_ socket: Int32, from bytes: UnsafeRawPointer, length: Int,
                       tag: OperationTag) {
        unsafe io_uring_prep_send(entry(tag), socket, bytes, length, MessageFlags.send)
    }

    mutating func send(_ socket: Int32, message: UnsafeMutablePointer<msghdr>, tag: OperationTag) {
        unsafe io_uring_prep_sendmsg(entry(tag), socket, message, UInt32(MessageFlags.send))
    }

    mutating func pollInput(_ descriptor: Int32, tag: OperationTag) {
        unsafe io_uring_prep_poll_add(entry(tag), descriptor, UInt32(POLLIN))
    }

    mutating func cancel(_ descriptor: Int32) {
        let entry = unsafe entry(.cancellation)
        unsafe io_uring_prep_cancel_fd(entry, descriptor, cio_cancel_all_of_descriptor)
        cancellationQueued()
    }

    mutating func close(_ descriptor: Int32, tag: OperationTag) {
        cancel(descriptor)
        unsafe io_uring_prep_close(entry(tag), descriptor)
    }
}
