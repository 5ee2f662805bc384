import CAio
import Glibc
import Units

/// libaio and epoll behind `Ring`, for machines where io_uring is switched off.
///
/// ```
///   files: read, write, sync ──► io_submit ──► io_getevents ─┐
///   files: allocate ───────────► helper thread ──────────────┼─► completions ─► nextCompletion
///   sockets, polls: try at once ─► EAGAIN: wait for an edge ─┘
/// ```
///
/// One epoll instance waits for everything: sockets, the eventfd that AIO and the helper thread
/// signal, the waker's eventfd, and a timer for the deadline. All are edge-triggered, so that
/// neither eventfds nor the timer have to be read.
@safe struct AioBackend: ~Copyable {
    let poller: Int32
    private let timer: Int32
    /// What the timer is set to; it is moved only when an earlier deadline comes.
    private var timerDeadline = Instant.distantFuture
    private let waker: Waker
    private let wakerDescriptor: Int32
    private let signalDescriptor: Int32
    private let events: UnsafeMutablePointer<epoll_event>

    var completions = CompletionQueue(capacity: RingLimits.aioOperations)
    var files: AioFiles
    var descriptors = DescriptorTable()

    /// The fields are set last: a noncopyable value cannot be left half made.
    init(waker: Waker) throws(RingError) {
        let files = try AioFiles()
        let poller = epoll_create1(Int32(EPOLL_CLOEXEC))
        guard poller >= 0 else { throw RingError("epoll_create1", code: errno) }
        let timer = timerfd_create(CLOCK_BOOTTIME, Int32(TFD_CLOEXEC) | Int32(TFD_NONBLOCK))
        guard timer >= 0 else {
            let code = errno
            Glibc.close(poller)
            throw RingError("timerfd_create", code: code)
        }
        self.waker = waker
        self.poller = poller
        self.timer = timer
        wakerDescriptor = waker.descriptor
        signalDescriptor = files.signal.descriptor
        self.files = files
        unsafe events = .allocate(capacity: RingLimits.aioBatch)
        watch(timer, cio_epoll_input_edges)
        watch(wakerDescriptor, cio_epoll_input_edges)
        watch(signalDescriptor, cio_epoll_input_edges)
    }

    /// Waits for the file operations in flight; sockets have nothing in flight in the kernel.
    deinit {
        Glibc.close(poller)
        Glibc.close(timer)
        unsafe events.deallocate()
    }

    /// Reports a descriptor's edges from now on.
    func watch(_ descriptor: Int32, _ edges: UInt32) {
        var event = unsafe epoll_event()
        unsafe event.events = edges
        unsafe event.data.fd = descriptor
        guard unsafe epoll_ctl(poller, EPOLL_CTL_ADD, descriptor, &event) == 0 else {
            trap("epoll_ctl", descriptor: descriptor, -errno)
        }
    }

    // MARK: Turns

    mutating func submitAndWait(until deadline: Instant) {
        files.submit(completing: &completions)
        let mayWait = completions.isEmpty && deadline != .zero
        if mayWait && deadline < timerDeadline { setTimer(deadline) }
        let count = unsafe epoll_wait(poller, events, Int32(RingLimits.aioBatch), mayWait ? -1 : 0)
        guard count >= 0 else {
            if errno != EINTR { trap("epoll_wait", -errno) }
            return
        }
        for i in 0..<Int(count) { unsafe arrived(events[i]) }
    }

    private mutating func setTimer(_ deadline: Instant) {
        timerDeadline = deadline
        let code = cio_timer_set(timer, deadline.nanoseconds)
        if code < 0 { trap("timerfd_settime", code) }
    }

    mutating func nextCompletion() -> Completion? { completions.popFirst() }

    private mutating func arrived(_ event: epoll_event) {
        switch unsafe event.data.fd {
        case timer:
            timerDeadline = .distantFuture
        case wakerDescriptor:
            waker.acknowledge()
            completions.append(Completion(tag: .wake, result: 0))
        case signalDescriptor:
            files.reap(into: &completions)
        case let descriptor:
            if unsafe event.events & cio_epoll_input != 0 { advanceInput(descriptor) }
            if unsafe event.events & cio_epoll_output != 0 { advanceOutput(descriptor) }
        }
    }

    // MARK: Files

    mutating func read(_ file: Int32, into bytes: UnsafeMutableRawPointer, length: Int,
                       at offset: UInt64, tag: OperationTag) {
        let job = FileJob(.read, file, bytes: bytes, length: length, offset: offset, tag: tag)
        files.queue(job, completing: &completions)
    }

    mutating func write(_ file: Int32, from bytes: UnsafeRawPointer, length: Int,
                        at offset: UInt64, durably: Bool, tag: OperationTag) {
        let bytes = unsafe UnsafeMutableRawPointer(mutating: bytes)
        let job = FileJob(.write, file, bytes: bytes, length: length, offset: offset,
                          flags: durably ? WriteFlags.dsync : 0, tag: tag)
        files.queue(job, completing: &completions)
    }

    mutating func sync(_ file: Int32, dataOnly: Bool, tag: OperationTag) {
        files.queue(FileJob(dataOnly ? .syncData : .sync, file, tag: tag), completing: &completions)
    }

    mutating func allocate(_ file: Int32, mode: Int32, offset: UInt64, length: UInt64,
                           tag: OperationTag) {
        files.help(FileJob(.allocate, file, length: Int(length), offset: offset, flags: mode,
                           tag: tag))
    }
}
