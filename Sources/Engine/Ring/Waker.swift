import CAio
import Glibc
import Synchronization

/// Wakes one waiting thread from any other: a ring (as a `Completion` with the tag `.wake`) or a
/// thread in `wait()`. One consumer only.
///
/// Wake-ups are merged: any number of calls before the consumer looks are one. What the caller
/// wrote before `wake()` is seen by the consumer after its wake-up.
public final class Waker: Sendable {
    /// Blocking, for a nonblocking one would make io_uring's read answer EAGAIN at once.
    let descriptor: Int32
    private let pending = Atomic<Bool>(false)

    public init() throws(RingError) {
        descriptor = eventfd(0, Int32(EFD_CLOEXEC))
        guard descriptor >= 0 else { throw RingError("eventfd", code: errno) }
    }

    deinit { Glibc.close(descriptor) }

    public func wake() {
        if pending.exchange(true, ordering: .acquiringAndReleasing) { return }
        _ = eventfd_write(descriptor, 1)
    }

    /// Blocks until `wake()` was called. For plain threads; a ring does this by itself.
    public func wait() {
        var count: eventfd_t = 0
        while unsafe eventfd_read(descriptor, &count) < 0 && errno == EINTR {}
        acknowledge()
    }

    /// The consumer has seen the wake-up and will now look: the next one counts again.
    func acknowledge() {
        _ = pending.exchange(false, ordering: .acquiringAndReleasing)
    }
}
