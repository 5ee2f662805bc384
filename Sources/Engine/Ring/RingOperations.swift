import Glibc

/// The operations. Each is queued here and completes with `tag`.
extension Ring {
    /// Reads a file at an offset. The result is the bytes read: fewer at the file's end.
    ///
    /// - Parameters:
    ///   - bytes: 4096-aligned for an O_DIRECT file, as are `length` and `offset`.
    ///   - area: the registered area that `bytes` lies in, if any.
    public mutating func read(_ file: Int32, into bytes: UnsafeMutableRawPointer, length: Int,
                              at offset: UInt64, area: RegisteredArea = .none, tag: OperationTag) {
        operationsInFlight += 1
        if let uring = unsafe uring {
            unsafe uring.pointee.read(file, into: bytes, length: UInt32(length), at: offset,
                                      area: area, tag: tag)
        } else {
            unsafe aio!.pointee.read(file, into: bytes, length: length, at: offset, tag: tag)
        }
    }

    /// Writes to a file at an offset. The result is the bytes written: fewer on a full drive.
    ///
    /// - Parameter durably: whether the data must be durable at the completion (RWF_DSYNC).
    public mutating func write(_ file: Int32, from bytes: UnsafeRawPointer, length: Int,
                               at offset: UInt64, durably: Bool = false,
                               area: RegisteredArea = .none, tag: OperationTag) {
        operationsInFlight += 1
        if let uring = unsafe uring {
            unsafe uring.pointee.write(file, from: bytes, length: UInt32(length), at: offset,
                                durably: durably, area: area, tag: tag)
        } else {
            unsafe aio!.pointee.write(file, from: bytes, length: length, at: offset,
                                      durably: durably, tag: tag)
        }
    }

    /// fsync, or fdatasync for the data alone. Covers writes that completed before it was queued.
    public mutating func sync(_ file: Int32, dataOnly: Bool, tag: OperationTag) {
        operationsInFlight += 1
        if let uring = unsafe uring {
            unsafe uring.pointee.sync(file, dataOnly: dataOnly, tag: tag)
        } else {
            unsafe aio!.pointee.sync(file, dataOnly: dataOnly, tag: tag)
        }
    }

    /// fallocate(2) with its modes: reserves, punches holes, zeroes.
    public mutating func allocate(_ file: Int32, mode: Int32, offset: UInt64, length: UInt64,
                                  tag: OperationTag) {
        operationsInFlight += 1
        if let uring = unsafe uring {
            unsafe uring.pointee.allocate(file, mode: mode, offset: offset, length: length,
                                          tag: tag)
        } else {
            unsafe aio!.pointee.allocate(file, mode: mode, offset: offset, length: length, tag: tag)
        }
    }

    /// Accepts connections until it fails or is cancelled: each completion's result is a new socket
    /// (close-on-exec). When one comes without `more`, accepting has ended; after EMFILE, ENFILE,
    /// ENOMEM or ECONNABORTED it may be begun again.
    public mutating func accept(_ listener: Int32, tag: OperationTag) {
        operationsInFlight += 1
        if let uring = unsafe uring {
            unsafe uring.pointee.accept(listener, tag: tag)
        } else {
            unsafe aio!.pointee.accept(listener, tag: tag)
        }
    }

    /// Connects a socket. The result is 0 or the refusal.
    public mutating func connect(_ socket: Int32, to address: UnsafePointer<sockaddr>,
                                 length: socklen_t, tag: OperationTag) {
        operationsInFlight += 1
        if let uring = unsafe uring {
            unsafe uring.pointee.connect(socket, to: address, length: length, tag: tag)
        } else {
            unsafe aio!.pointee.connect(socket, to: address, length: length, tag: tag)
        }
    }

    /// Receives from a socket. The result is the bytes received, 0 at the end of the stream.
    ///
    /// - Parameter whole: complete only with all `length` bytes, or fewer at the end of the stream
    ///   or at an error behind them.
    public mutating func receive(_ socket: Int32, into bytes: UnsafeMutableRawPointer, length: Int,
                                 whole: Bool = false, tag: OperationTag) {
        operationsInFlight += 1
        if let uring = unsafe uring {
            unsafe uring.pointee.receive(socket, into: bytes, length: length, whole: whole,
                                         tag: tag)
        } else {
            unsafe aio!.pointee.receive(socket, into: bytes, length: length, whole: whole, tag: tag)
        }
    }

    /// Sends all of it. The result is `length`; less means that an error followed, which the next
    /// operation on the socket tells.
    public mutating func send(_ socket: Int32, from bytes: UnsafeRawPointer, length: Int,
                              tag: OperationTag) {
        operationsInFlight += 1
        if let uring = unsafe uring {
            unsafe uring.pointee.send(socket, from: bytes, length: length, tag: tag)
        } else {
            unsafe aio!.pointee.send(socket, from: bytes, length: length, tag: tag)
        }
    }

    /// Sends all that the message's iovecs name. The result is as for the other `send`.
    ///
    /// - Parameter message: it and its iovecs are the ring's until the completion, and are
    ///   undefined then.
    public mutating func send(_ socket: Int32, message: UnsafeMutablePointer<msghdr>,
                              tag: OperationTag) {
        operationsInFlight += 1
        if let uring = unsafe uring {
            unsafe uring.pointee.send(socket, message: message, tag: tag)
        } else {
            unsafe aio!.pointee.send(socket, message: message, tag: tag)
        }
    }

    /// Completes once when the descriptor has something to read; the result is poll(2)'s events.
    public mutating func pollInput(_ descriptor: Int32, tag: OperationTag) {
        operationsInFlight += 1
        if let uring = unsafe uring {
            unsafe uring.pointee.pollInput(descriptor, tag: tag)
        } else {
            unsafe aio!.pointee.pollInput(descriptor, tag: tag)
        }
    }

    /// Ends what is in flight on a descriptor: each such operation completes, with ECANCELED where
    /// it had not begun. File operations that the drive already has run to their end.
    public mutating func cancel(_ descriptor: Int32) {
        if let uring = unsafe uring {
            unsafe uring.pointee.cancel(descriptor)
        } else {
            unsafe aio!.pointee.cancel(descriptor)
        }
    }

    /// Cancels what is in flight on a descriptor and closes it. The number may be used anew after
    /// the completion.
    public mutating func close(_ descriptor: Int32, tag: OperationTag) {
        operationsInFlight += 1
        if let uring = unsafe uring {
            unsafe uring.pointee.close(descriptor, tag: tag)
        } else {
            unsafe aio!.pointee.close(descriptor, tag: tag)
        }
    }

    /// Pins memory for operations that name it, until the ring ends.
    ///
    /// Answers `.none` where that is not possible: those operations then go without.
    public mutating func register(_ memory: UnsafeMutableRawBufferPointer) -> RegisteredArea {
        if let uring = unsafe uring { unsafe uring.pointee.register(memory) } else { .none }
    }
}
