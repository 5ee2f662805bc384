import Logging
import Metadata
import Records
import Synchronization
import Units

/// Proves that this node lives: a record under a lease that is renewed three times before it could
/// run out. Other records that must vanish with the node hang on the same lease.
final class LivenessKeeper: Sendable {
    private let store: any MetadataStore
    private let liveness: Liveness
    private let times: ControlTimes
    private let logger: Logger
    private let held = Mutex<Held?>(nil)
    /// Rung when a new lease is held: whatever hung on the old one is gone.
    private let bells = Mutex<[Bell]>([])

    private struct Held {
        var lease: LeaseID
        var since: ContinuousClock.Instant
    }

    init(store: any MetadataStore, settings: ControlSettings, logger: Logger) {
        self.store = store
        liveness = Liveness(
            node: settings.node, incarnation: settings.incarnation, boot: settings.boot)
        times = settings.times
        self.logger = logger
    }

    func add(_ bell: Bell) { bells.withLock { $0.append(bell) } }
    func remove(_ bell: Bell) { bells.withLock { $0.removeAll { $0 === bell } } }

    /// The lease to hang records on; nil while there is none.
    var lease: LeaseID? { held.withLock { $0?.lease } }

    /// When a node that is not there may be taken for dead. An outage of the metadata service ends
    /// the leases of all nodes, and then none is there but who says first that it lives: the others
    /// get as long for it as a lease lasts. Nil while this node cannot say so itself.
    var judgesFrom: ContinuousClock.Instant? {
        held.withLock { $0.map { $0.since + times.liveness } }
    }

    var mayJudge: Bool { judgesFrom.map { ContinuousClock.now >= $0 } ?? false }

    /// Until the task is cancelled.
    func run() async {
        while !Task.isCancelled {
            do throws(MetadataError) {
                try await hold()
            } catch {
                if error.kind == .closed || Task.isCancelled { return }
                logger.warning("this node cannot prove that it lives: \(error)")
                try? await Task.sleep(for: times.renewal)
            }
        }
    }

    /// Says for the first time that the node lives; `run` has to follow at once.
    func begin() async throws(MetadataError) {
        let granted = try await store.grantLease(ttl: times.liveness)
        try await store.put(Keys.liveness(liveness.node), record: liveness, lease: granted.id)
        held.withLock { $0 = Held(lease: granted.id, since: .now) }
        for bell in bells.withLock({ $0 }) { bell.ring() }
    }

    /// Renews the lease until that fails.
    private func hold() async throws(MetadataError) {
        if lease == nil { try await begin() }
        while let lease, !Task.isCancelled {
            do throws(MetadataError) {
                try await store.keepAlive(lease)
            } catch {
                if error.kind == .leaseNotFound { held.withLock { $0 = nil } }
                throw error
            }
            try? await Task.sleep(for: times.renewal)
        }
    }

    /// Leaves the lease to run out by itself, all of it: the node may be back before that.
    func leave() async {
        guard let lease else { return }
        do throws(MetadataError) {
            try await store.keepAlive(lease)
        } catch {
            logger.notice("the liveness lease runs out early: \(error)")
        }
    }

    /// Gives the lease back: the node is gone, as of now. After `run` has ended.
    func end() async {
        guard let lease = held.withLock({ held in
            defer { held = nil }
            return held?.lease
        }) else { return }
        do throws(MetadataError) {
            try await store.revoke(lease)
        } catch {
            logger.notice("the liveness lease runs out by itself: \(error)")
        }
    }
}
