import CURing
import Glibc
import Units

/// io_uring behind `Ring`: operations become submission entries, nothing else is remembered.
///
/// The kernel reads the submission queue in `io_uring_enter` only, once a turn or when the queue is
/// full. The completion queue is read up to the tail seen at the turn's start, and its entries are
/// given back together at the next turn.
@safe struct UringBackend: ~Copyable {
    private var ring: io_uring
    /// The next completion to read, and the end of what has been published.
    private var head: UInt32 = 0
    private var tail: UInt32 = 0
    private let enterFlags: UInt32
    private let waker: Waker
    /// Where the waker's counter is read to, and whether such a read is in flight.
    private let wakeCount: UnsafeMutablePointer<UInt64>
    private var wakeReadIsInFlight = false
    private var cancellationsInFlight = 0
    private var isDraining = false
    private var areasRegistered: UInt32 = 0
    private var mayRegisterAreas: Bool
    private let hasBootClock: Bool

    init(features: UringFeatures, waker: Waker) throws(RingError) {
        self.waker = waker
        var parameters = io_uring_params()
        parameters.flags = features.setupFlags
        parameters.cq_entries = RingLimits.completionEntries
        var ring = unsafe io_uring()
        let entries = RingLimits.submissionEntries
        let code = unsafe io_uring_queue_init_params(entries, &ring, &parameters)
        guard code == 0 else { throw RingError("io_uring_setup", code: -code) }

        var flags = UInt32(IORING_ENTER_GETEVENTS)
        if unsafe io_uring_register_ring_fd(&ring) == 1 {
            flags |= UInt32(IORING_ENTER_REGISTERED_RING)
        }
        if features.contains(.idleWithoutIOWait) { flags |= CIO_ENTER_NO_IOWAIT }
        hasBootClock = unsafe features.contains(.bootClockDeadlines)
            && cio_uring_register_clock(&ring, CLOCK_BOOTTIME) == 0
        if hasBootClock { flags |= CIO_ENTER_ABS_TIMER }
        enterFlags = flags
        mayRegisterAreas = unsafe features.contains(.registeredBuffers)
            && io_uring_register_buffers_sparse(&ring, RingLimits.registeredAreas) == 0
        unsafe self.ring = unsafe ring
        unsafe wakeCount = .allocate(capacity: 1)
        readWaker()
    }

    /// `drain` comes before.
    deinit {
        var ring = unsafe ring
        unsafe io_uring_queue_exit(&ring)
        unsafe wakeCount.deallocate()
    }

    // MARK: Turns

    mutating func submitAndWait(until deadline: Instant) {
        unsafe cio_uring_release(&ring, head)
        let queued = unsafe cio_uring_flush(&ring)
        tail = unsafe cio_uring_tail(&ring)
        let wait: UInt32 = head == tail && deadline != .zero ? 1 : 0
        let timeout = wait == 0 || deadline == .distantFuture ? -1 : timeoutNanoseconds(deadline)
        let code = unsafe cio_uring_enter(&ring, queued, wait, enterFlags, timeout)
        switch code {
        // The deadline; a signal; completions must be taken first; no memory for a request: what
        // was not taken stays queued for the next turn.
        case 0..., -ETIME, -EINTR, -EBUSY, -EAGAIN, -ENOMEM: break
        default: trap("io_uring_enter", code)
        }
        tail = unsafe cio_uring_tail(&ring)
    }

    /// Absolute where the ring's clock is the boot clock, otherwise from now on.
    private func timeoutNanoseconds(_ deadline: Instant) -> Int64 {
        let value = hasBootClock ? deadline.nanoseconds : (deadline - BootClock.now()).nanoseconds
        return Int64(clamping: value)
    }

    mutating func nextCompletion() -> Completion? {
        while head != tail {
            let entry = unsafe ring.cq.cqes[Int(head & ring.cq.ring_mask)]
            head &+= 1
            let tag = OperationTag(rawValue: entry.user_data)
            if !tag.isOfRing {
                return Completion(tag: tag, result: entry.res,
                                  more: entry.flags & UInt32(IORING_CQE_F_MORE) != 0)
            }
            if ringCompleted(tag, result: entry.res) { return Completion(tag: .wake, result: 0) }
        }
        return nil
    }

    /// Takes a completion of the ring's own; true when the waker woke us.
    private mutating func ringCompleted(_ tag: OperationTag, result: Int32) -> Bool {
        guard tag == .wake else {
            cancellationsInFlight -= 1
            return false
        }
        wakeReadIsInFlight = false
        if isDraining { return false }
        readWaker()
        waker.acknowledge()
        return true
    }

    private mutating func readWaker() {
        unsafe io_uring_prep_read(entry(.wake), waker.descriptor, wakeCount, 8, 0)
        wakeReadIsInFlight = true
    }

    /// Cancels everything and waits until the caller's operations, too, have ended.
    ///
    /// A cancellation can miss an operation that is just being tried again: so it is repeated.
    mutating func drain(_ operations: Int) {
        isDraining = true
        var left = operations
        while left > 0 || wakeReadIsInFlight || cancellationsInFlight > 0 {
            if cancellationsInFlight == 0 {
                unsafe io_uring_prep_cancel64(entry(.cancellation), 0, Int32(cio_cancel_everything))
                cancellationsInFlight += 1
            }
            submitAndWait(until: BootClock.now() + .milliseconds(100))
            while let completion = nextCompletion() { if !completion.more { left -= 1 } }
        }
    }

    // MARK: Entries

    /// A free submission entry, its tag set; submits first when there is none.
    @inline(__always)
    mutating func entry(_ tag: OperationTag) -> UnsafeMutablePointer<io_uring_sqe> {
        let entry = unsafe io_uring_get_sqe(&ring) ?? entryAfterSubmitting()
        unsafe entry.pointee.user_data = tag.rawValue
        return unsafe entry
    }

    /// Entries that the kernel has not taken are waited for: it was short of memory.
    @inline(never)
    private mutating func entryAfterSubmitting() -> UnsafeMutablePointer<io_uring_sqe> {
        while true {
            let code = unsafe cio_uring_enter(&ring, cio_uring_flush(&ring), 0, submitFlags, -1)
            if let entry = unsafe io_uring_get_sqe(&ring) { return unsafe entry }
            switch code {
            case -EAGAIN, -ENOMEM, -EBUSY: _ = poll(nil, 0, 1)
            case -EINTR, 0...: continue
            default: trap("io_uring_enter", code)
            }
        }
    }

    mutating func cancellationQueued() { cancellationsInFlight += 1 }

    private var submitFlags: UInt32 { enterFlags & UInt32(IORING_ENTER_REGISTERED_RING) }

    /// Registers memory; `.none` where the kernel or the limit of locked memory refuses.
    mutating func register(_ memory: UnsafeMutableRawBufferPointer) -> RegisteredArea {
        guard mayRegisterAreas, areasRegistered < RingLimits.registeredAreas,
            memory.count <= RingLimits.registeredAreaBytesMax
        else { return .none }
        var area = unsafe iovec(iov_base: memory.baseAddress, iov_len: memory.count)
        let slot = areasRegistered
        guard unsafe io_uring_register_buffers_update_tag(&ring, slot, &area, nil, 1) == 1 else {
            return .none
        }
        areasRegistered += 1
        return RegisteredArea(index: Int32(areasRegistered) - 1)
    }
}

extension UringFeatures {
    fileprivate var setupFlags: UInt32 {
        var flags = IORING_SETUP_SUBMIT_ALL | IORING_SETUP_CQSIZE | IORING_SETUP_CLAMP
        if contains(.deferredTaskWork) {
            flags |= IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN
        } else {
            flags |= IORING_SETUP_COOP_TASKRUN
            if contains(.singleIssuer) { flags |= IORING_SETUP_SINGLE_ISSUER }
        }
        return UInt32(flags)
    }
}
