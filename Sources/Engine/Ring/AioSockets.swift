import CAio
import Glibc
import Units

/// The socket half of the libaio backend: every operation is tried at once and, while the kernel
/// says EAGAIN, again at each edge that epoll reports.
extension AioBackend {
    mutating func accept(_ listener: Int32, tag: OperationTag) {
        setNonblocking(listener)
        unsafe beginInput(listener, Waiting(kind: .accept, tag: tag))
    }

    mutating func receive(_ socket: Int32, into bytes: UnsafeMutableRawPointer, length: Int,
                          whole: Bool, tag: OperationTag) {
        unsafe beginInput(socket, Waiting(kind: whole ? .receiveWhole : .receive, tag: tag,
                                   memory: bytes, length: length))
    }

    mutating func pollInput(_ descriptor: Int32, tag: OperationTag) {
        unsafe beginInput(descriptor, Waiting(kind: .pollInput, tag: tag))
    }

    mutating func send(_ socket: Int32, from bytes: UnsafeRawPointer, length: Int,
                       tag: OperationTag) {
        let bytes = unsafe UnsafeMutableRawPointer(mutating: bytes)
        unsafe beginOutput(socket, Waiting(kind: .send, tag: tag, memory: bytes, length: length))
    }

    mutating func send(_ socket: Int32, message: UnsafeMutablePointer<msghdr>, tag: OperationTag) {
        let length = unsafe message.pointee.remainingBytes
        unsafe beginOutput(socket, Waiting(kind: .sendMessage, tag: tag,
                                    memory: UnsafeMutableRawPointer(message), length: length))
    }

    mutating func connect(_ socket: Int32, to address: UnsafePointer<sockaddr>, length: socklen_t,
                          tag: OperationTag) {
        setNonblocking(socket)
        if unsafe Glibc.connect(socket, address, length) == 0 {
            completions.append(Completion(tag: tag, result: 0))
        } else if errno == EINPROGRESS || errno == EINTR {
            unsafe beginOutput(socket, Waiting(kind: .connect, tag: tag))
        } else {
            completions.append(Completion(tag: tag, result: -errno))
        }
    }

    mutating func cancel(_ descriptor: Int32) {
        let row = unsafe descriptors.row(descriptor)
        unsafe end(&row.pointee.input, with: -ECANCELED)
        unsafe end(&row.pointee.output, with: -ECANCELED)
    }

    /// Out of epoll explicitly: a copy of the descriptor in another process would keep it in.
    mutating func close(_ descriptor: Int32, tag: OperationTag) {
        files.submit(completing: &completions)
        cancel(descriptor)
        let row = unsafe descriptors.row(descriptor)
        if unsafe row.pointee.isWatched {
            _ = epoll_ctl(poller, EPOLL_CTL_DEL, descriptor, nil)
            unsafe row.pointee.isWatched = false
        }
        let result = Glibc.close(descriptor)
        completions.append(Completion(tag: tag, result: result == 0 ? 0 : -errno))
    }

    // MARK: Input

    private mutating func beginInput(_ descriptor: Int32, _ waiting: Waiting) {
        let row = unsafe descriptors.row(descriptor)
        if unsafe row.pointee.input.kind != .nothing { twoOperations("reading", descriptor) }
        unsafe row.pointee.input = waiting
        watchOnce(descriptor)
        advanceInput(descriptor)
    }

    /// Tries the reading operation that is in flight on a descriptor, if there is one.
    mutating func advanceInput(_ descriptor: Int32) {
        let row = unsafe descriptors.row(descriptor)
        switch unsafe row.pointee.input.kind {
        case .receive, .receiveWhole: unsafe advanceReceive(descriptor, &row.pointee.input)
        case .accept: unsafe advanceAccept(descriptor, &row.pointee.input)
        case .pollInput:
            var poll = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
            if unsafe Glibc.poll(&poll, 1, 0) > 0 {
                unsafe end(&row.pointee.input, with: Int32(poll.revents))
            }
        default: break
        }
    }

    private mutating func advanceReceive(_ socket: Int32, _ waiting: inout Waiting) {
        while true {
            let count = unsafe recv(socket, waiting.memory! + waiting.done,
                                    waiting.length - waiting.done, Int32(MSG_DONTWAIT))
            if count < 0 && errno == EINTR { continue }
            if count < 0 && errno == EAGAIN { return }
            if count > 0 { waiting.done += count }
            let wantsMore = waiting.kind == .receiveWhole && waiting.done < waiting.length
            if count > 0 && wantsMore { continue }
            let failed = count < 0 && waiting.done == 0
            return end(&waiting, with: failed ? -errno : Int32(waiting.done))
        }
    }

    private mutating func advanceAccept(_ listener: Int32, _ waiting: inout Waiting) {
        while true {
            let socket = cio_accept(listener)
            if socket >= 0 {
                completions.append(Completion(tag: waiting.tag, result: socket, more: true))
            } else if errno == EAGAIN {
                return
            } else if errno != EINTR {
                return end(&waiting, with: -errno)
            }
        }
    }

    // MARK: Output

    private mutating func beginOutput(_ descriptor: Int32, _ waiting: Waiting) {
        let row = unsafe descriptors.row(descriptor)
        if unsafe row.pointee.output.kind != .nothing { twoOperations("sending", descriptor) }
        unsafe row.pointee.output = waiting
        watchOnce(descriptor)
        if waiting.kind != .connect { advanceOutput(descriptor) }
    }

    /// Tries the sending operation that is in flight on a descriptor, if there is one.
    mutating func advanceOutput(_ descriptor: Int32) {
        let row = unsafe descriptors.row(descriptor)
        switch unsafe row.pointee.output.kind {
        case .send, .sendMessage: unsafe advanceSend(descriptor, &row.pointee.output)
        case .connect: unsafe finishConnect(descriptor, &row.pointee.output)
        default: break
        }
    }

    private mutating func advanceSend(_ socket: Int32, _ waiting: inout Waiting) {
        let flags = Int32(MSG_DONTWAIT) | Int32(MSG_NOSIGNAL)
        while true {
            let count: Int
            if waiting.kind == .send {
                count = unsafe Glibc.send(socket, waiting.memory! + waiting.done,
                                   waiting.length - waiting.done, flags)
            } else {
                let message = unsafe waiting.memory!.assumingMemoryBound(to: msghdr.self)
                count = unsafe sendmsg(socket, message, flags)
                if count > 0 { unsafe message.pointee.skip(count) }
            }
            if count < 0 && errno == EINTR { continue }
            if count < 0 && errno == EAGAIN { return }
            if count >= 0 { waiting.done += count }
            if count > 0 && waiting.done < waiting.length { continue }
            let failed = count < 0 && waiting.done == 0
            return end(&waiting, with: failed ? -errno : Int32(waiting.done))
        }
    }

    /// The first edge may be the one from before the connect: the socket knows.
    private mutating func finishConnect(_ socket: Int32, _ waiting: inout Waiting) {
        var poll = pollfd(fd: socket, events: Int16(POLLOUT), revents: 0)
        guard unsafe Glibc.poll(&poll, 1, 0) > 0 else { return }
        var code: Int32 = 0
        var length = socklen_t(MemoryLayout<Int32>.size)
        if unsafe getsockopt(socket, SOL_SOCKET, SO_ERROR, &code, &length) < 0 { code = errno }
        end(&waiting, with: -code)
    }

    // MARK: Both

    private mutating func end(_ waiting: inout Waiting, with result: Int32) {
        if waiting.kind == .nothing { return }
        completions.append(Completion(tag: waiting.tag, result: result))
        waiting.kind = .nothing
    }

    private mutating func watchOnce(_ descriptor: Int32) {
        let row = unsafe descriptors.row(descriptor)
        if unsafe row.pointee.isWatched { return }
        unsafe row.pointee.isWatched = true
        watch(descriptor, cio_epoll_both_edges)
    }

    private func setNonblocking(_ descriptor: Int32) {
        let flags = fcntl(descriptor, F_GETFL)
        guard flags >= 0, fcntl(descriptor, F_SETFL, flags | O_NONBLOCK) == 0 else {
            trap("fcntl", descriptor: descriptor, -errno)
        }
    }
}

@inline(never)
private func twoOperations(_ direction: String, _ descriptor: Int32) -> Never {
    trap("two \(direction) operations on descriptor \(descriptor)")
}

extension msghdr {
    /// The bytes that its iovecs name.
    fileprivate var remainingBytes: Int {
        var sum = 0
        for i in unsafe 0..<Int(msg_iovlen) { unsafe sum += msg_iov[i].iov_len }
        return sum
    }

    /// Takes the first `count` bytes off its iovecs.
    fileprivate mutating func skip(_ count: Int) {
        var left = count
        while unsafe left > 0 && msg_iov.pointee.iov_len <= left {
            unsafe left -= msg_iov.pointee.iov_len
            unsafe msg_iov += 1
            unsafe msg_iovlen -= 1
        }
        if left > 0 {
            unsafe msg_iov.pointee.iov_base += left
            unsafe msg_iov.pointee.iov_len -= left
        }
    }
}
