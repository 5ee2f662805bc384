import Glibc
import Units

/// Where an engine thread meets the kernel: operations go in, completions come out.
///
/// ```
///   var ring = try Ring(features.plan(for: .auto), waker: waker)      // on the loop's own thread
///   while running {
///       ring.submitAndWait(until: nextDeadline)
///       while let completion = ring.nextCompletion() { … ring.read(…) … }
///   }
/// ```
///
/// A ring belongs to the thread that made it and is a local variable there. Operations are queued
/// and go to the kernel together in `submitAndWait`. Each carries a tag and completes with it
/// exactly once (accept: again and again, see `Completion.more`), in no particular order, with the
/// result of the system call or -errno. Two backends, io_uring and libaio with epoll, keep the same
/// contract:
///
/// - Memory that an operation names is the ring's until its completion, iovecs included; the ring
///   may change the lengths and pointers of iovecs on the way.
/// - On one descriptor at most one of receive, accept, pollInput and one of send, connect are in
///   flight at a time. Files have no such limit.
/// - Sockets are made without O_NONBLOCK; the ring sets what it needs. EAGAIN is never a result,
///   but for the connect to a unix socket whose backlog is full.
/// - A descriptor that was used here is closed here (`close`): its operations in flight complete
///   first or with ECANCELED, and their completions still arrive.
/// - EBADF and EFAULT can only be our own mistakes, and trap.
///
/// No operation allocates, retains or takes a closure; the backend is chosen by one comparison.
@safe public struct Ring: ~Copyable {
    /// `.uring` or `.aio`, never `.auto`.
    public let kind: EngineKind
    /// Operations that were queued and have not completed for the last time.
    public internal(set) var operationsInFlight = 0

    let uring: UnsafeMutablePointer<UringBackend>?
    let aio: UnsafeMutablePointer<AioBackend>?

    /// - Parameters:
    ///   - plan: the backend and its features, from `EngineFeatures.plan(for:)`.
    ///   - waker: causes `.wake` completions from now on.
    public init(_ plan: EnginePlan, waker: Waker) throws(RingError) {
        kind = plan.kind
        switch plan {
        case .aio:
            let backend = try AioBackend(waker: waker)
            unsafe uring = nil
            unsafe aio = .allocate(capacity: 1)
            unsafe aio!.initialize(to: backend)
        case .uring(let features):
            let backend = try UringBackend(features: features, waker: waker)
            unsafe uring = .allocate(capacity: 1)
            unsafe uring!.initialize(to: backend)
            unsafe aio = nil
        }
    }

    /// Cancels what is in flight and waits for the rest, so that no memory is written afterwards.
    deinit {
        if let uring = unsafe uring {
            unsafe uring.pointee.drain(operationsInFlight)
            unsafe uring.deinitialize(count: 1)
            unsafe uring.deallocate()
        }
        if let aio = unsafe aio {
            unsafe aio.deinitialize(count: 1)
            unsafe aio.deallocate()
        }
    }

    // MARK: Turns

    /// Hands over what was queued and waits until something completes or `deadline` has passed.
    ///
    /// Returns at once when completions are waiting already. `.zero` does not wait,
    /// `.distantFuture` waits without end. It may return early with nothing.
    public mutating func submitAndWait(until deadline: Instant) {
        if let uring = unsafe uring {
            unsafe uring.pointee.submitAndWait(until: deadline)
        } else {
            unsafe aio!.pointee.submitAndWait(until: deadline)
        }
    }

    /// The next completion that has arrived, nil when there is none before the next turn.
    public mutating func nextCompletion() -> Completion? {
        let next = if let uring = unsafe uring {
            unsafe uring.pointee.nextCompletion()
        } else {
            unsafe aio!.pointee.nextCompletion()
        }
        guard let completion = next else { return nil }
        if completion.isWake { return completion }
        if !completion.more { operationsInFlight -= 1 }
        if completion.result < 0 { trapOnMistake(completion) }
        return completion
    }
}
