import Synchronization

/// A metadata store that lives and dies with its process: for simulation and tests, and the plain
/// second implementation against which the others are read.
public final class MemoryStore: MetadataStore {
    private struct Guarded {
        var state: MemoryState
        var isClosed = false
        /// Sleeps until the lease that runs out first does.
        var timer: Task<Void, Never>?
        /// When `timer` will look.
        var timerDeadline: Duration?
    }

    private let guarded: Mutex<Guarded>
    private let signal = RevisionSignal(latest: .initial)
    private let now: @Sendable () -> Duration
    private let sleep: @Sendable (Duration) async throws -> Void

    public convenience init(history: HistoryLimits = HistoryLimits()) {
        self.init(history: history, clock: ContinuousClock())
    }

    /// `clock` decides when leases run out. (On Linux `ContinuousClock` is CLOCK_BOOTTIME.)
    public init<C: Clock>(
        history: HistoryLimits = HistoryLimits(), clock: C
    ) where C.Duration == Duration {
        let start = clock.now
        now = { start.duration(to: clock.now) }
        sleep = { try await clock.sleep(until: clock.now.advanced(by: $0), tolerance: nil) }
        guarded = Mutex(Guarded(state: MemoryState(limits: history)))
    }

    deinit { guarded.withLock { $0.timer }?.cancel() }

    public func standing() async -> StoreStanding {
        StoreStanding(
            kind: .memory, isReachable: !guarded.withLock { $0.isClosed }, endpoints: [])
    }

    public func get(_ key: String) async throws(MetadataError) -> Entry? {
        try MetadataError.check(key: key, operation: "get")
        return try step("get", on: key) { state throws(MetadataError) in state.entry(at: key) }
    }

    public func range(prefix: String) async throws(MetadataError) -> Snapshot {
        try MetadataError.check(prefix: prefix, operation: "range")
        return try step("range", on: prefix) { state throws(MetadataError) in
            Snapshot(entries: state.entries(prefix: prefix), revision: state.revision)
        }
    }

    public func transaction(
        _ transaction: Transaction
    ) async throws(MetadataError) -> TransactionResult {
        try transaction.validate()
        return try step("transaction", on: transaction.summary) { state throws(MetadataError) in
            try state.perform(transaction)
        }
    }

    public func watch(prefix: String, after revision: Revision) -> Watch {
        Watch(prefix: prefix, after: revision, woken: signal) {
            [self] cursor throws(MetadataError) in
            try step("watch", on: prefix) { state throws(MetadataError) in
                try state.history.page(prefix: prefix, after: cursor, through: state.revision)
            }
        }
    }

    public func grantLease(ttl: Duration) async throws(MetadataError) -> Lease {
        try MetadataError.check(ttl: ttl)
        let lease = Lease(id: .random(), ttl: ttl)
        try step("grant", on: "a lease") { state throws(MetadataError) in
            state.grant(lease.id, ttl: ttl)
        }
        return lease
    }

    @discardableResult
    public func keepAlive(_ lease: LeaseID) async throws(MetadataError) -> Lease {
        try step("keep-alive", on: "lease \(lease)") { state throws(MetadataError) in
            guard let ttl = state.renew(lease) else { throw .leaseNotFound("keep-alive", lease) }
            return Lease(id: lease, ttl: ttl)
        }
    }

    public func revoke(_ lease: LeaseID) async throws(MetadataError) {
        try step("revoke", on: "lease \(lease)") { state throws(MetadataError) in
            guard state.hasLease(lease) else { throw .leaseNotFound("revoke", lease) }
            try state.revoke(lease)
        }
    }

    public func close() async {
        guarded.withLock { guarded in
            guarded.isClosed = true
            guarded.timer?.cancel()
            guarded.timer = nil
        }
        signal.close()
    }
}

extension MemoryStore {
    /// One atomic step. A failed one has changed nothing: transactions check before they change.
    private func step<Value: Sendable>(
        _ operation: String, on object: @autoclosure () -> String,
        _ body: (inout MemoryState) throws(MetadataError) -> Value
    ) throws(MetadataError) -> Value {
        let object = object()
        typealias Outcome = (Result<Value, MetadataError>, Revision)
        let (result, revision) = guarded.withLock { guarded -> Outcome in
            guard !guarded.isClosed else {
                return (.failure(.closed(operation, on: object)), .zero)
            }
            defer { setTimer(&guarded) }
            guarded.state.now = now()
            let result = Result { () throws(MetadataError) in
                _ = try guarded.state.revokeExpired()
                return try body(&guarded.state)
            }
            guarded.state.trimHistory()
            return (result, guarded.state.revision)
        }
        signal.advance(to: revision)
        return try result.get()
    }

    /// Makes sure that the next lease to run out is noticed though nobody calls.
    private func setTimer(_ guarded: inout Guarded) {
        guard let deadline = guarded.state.earliestDeadline else { return }
        if let set = guarded.timerDeadline, set <= deadline { return }
        guarded.timer?.cancel()
        guarded.timerDeadline = deadline
        let delay = deadline - now()
        guarded.timer = Task { [weak self, sleep] in
            do { try await sleep(delay) } catch { return }
            self?.timerFired()
        }
    }

    private func timerFired() {
        guarded.withLock { $0.timerDeadline = nil }
        // Closed in the meantime: nothing is left to expire.
        try? step("expiry", on: "leases") { _ throws(MetadataError) in }
    }
}
