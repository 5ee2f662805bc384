import Foundation
import Metadata
import Synchronization

/// The store's thread: sleeps until another process commits or a lease runs out, then tells the
/// watches, and deletes what belonged to the lease.
///
/// Every process with the store open does this, so that leases run out as long as one of them
/// lives. The first to take the write lock does it for all.
final class ChangePump: Sendable {
    private let connections: SQLiteConnections
    private let signal: RevisionSignal
    private let bell: Bell
    private let isStopped = Atomic(false)
    /// Resumed when the thread has ended.
    private let ending = Mutex<(hasEnded: Bool, waiters: [CheckedContinuation<Void, Never>])>(
        (false, []))

    init(
        _ connections: SQLiteConnections, signal: RevisionSignal, _ context: OperationContext
    ) throws(MetadataError) {
        self.connections = connections
        self.signal = signal
        bell = try Bell(path: connections.bellPath, context)
        Thread.detachNewThread { [self] in
            Thread.current.name = "cio-metadata"
            run()
        }
    }

    /// Asks the thread to end.
    func stop() {
        isStopped.store(true, ordering: .releasing)
        bell.interrupt()
    }

    func waitUntilStopped() async {
        await withCheckedContinuation { continuation in
            let hasEnded = ending.withLock { ending in
                if !ending.hasEnded { ending.waiters.append(continuation) }
                return ending.hasEnded
            }
            if hasEnded { continuation.resume() }
        }
    }

    private func run() {
        var seen = Revision.zero
        while !isStopped.load(ordering: .acquiring) {
            bell.wait(for: look(&seen))
        }
        let waiters = ending.withLock { ending in
            ending.hasEnded = true
            return ending.waiters
        }
        for waiter in waiters { waiter.resume() }
    }

    /// Tells the watches what is new. Returns the time until the next look.
    private func look(_ seen: inout Revision) -> Duration {
        let interval = connections.options.rereadInterval
        do throws(MetadataError) {
            var (revision, deadline) = try state()
            if let due = deadline, due <= connections.leaseTime.now {
                (revision, deadline) = try expire()
            }
            // A revision that went back is for the watches to find and report.
            if revision < seen { signal.wakeAll() } else { signal.advance(to: revision) }
            seen = revision
            guard let deadline else { return interval }
            // Each process a little later than the deadline, not all at the same moment.
            let left = Duration.nanoseconds(deadline - connections.leaseTime.now)
            return min(interval, max(left, .zero) + .milliseconds(.random(in: 0..<10)))
        } catch {
            // What hinders this thread hinders the watches too. Each of them reports it.
            signal.wakeAll()
            return min(interval, error.kind == .busy ? .milliseconds(100) : .seconds(1))
        }
    }

    private func state() throws(MetadataError) -> (Revision, deadline: Int64?) {
        try connections.readBlocking(connections.context("watch", on: connections.path)) {
            view throws(MetadataError) in
            (try view.header().revision, try view.earliestDeadline(boot: connections.boot))
        }
    }

    /// Every write transaction begins with deleting what has run out: an empty one does.
    private func expire() throws(MetadataError) -> (Revision, deadline: Int64?) {
        let context = connections.context("expiry", on: connections.path)
        try connections.writeBlocking(context, patience: .milliseconds(200)) { _ in }
        return try state()
    }
}
