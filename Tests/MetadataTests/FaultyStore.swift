import Metadata
import Synchronization

/// A store that loses every n-th reply of a transaction, and every m-th request, as a network does;
/// and on which a rival acts after each `get`.
final class FaultyStore: MetadataStore {
    private let inner: any MetadataStore
    private let everyReply: Int
    private let everyRequest: Int
    private let rival: @Sendable (any MetadataStore) async throws -> Void
    private let counts = Mutex((transactions: 0, replies: 0, requests: 0))

    /// 0 means never.
    init(
        _ inner: any MetadataStore, lostReplies: Int = 0, lostRequests: Int = 0,
        rival: @escaping @Sendable (any MetadataStore) async throws -> Void = { _ in }
    ) {
        self.inner = inner
        self.rival = rival
        everyReply = lostReplies
        everyRequest = lostRequests
    }

    var repliesLost: Int { counts.withLock { $0.replies } }
    var requestsLost: Int { counts.withLock { $0.requests } }

    func transaction(
        _ transaction: Transaction
    ) async throws(MetadataError) -> TransactionResult {
        let (losesRequest, losesReply) = counts.withLock { counts in
            counts.transactions += 1
            let request = everyRequest > 0 && counts.transactions % everyRequest == 0
            let reply = !request && everyReply > 0 && counts.transactions % everyReply == 0
            counts.requests += request ? 1 : 0
            counts.replies += reply ? 1 : 0
            return (request, reply)
        }
        let lost = MetadataError(
            .unavailable, outcome: .unknown, operation: "transaction", object: transaction.summary,
            cause: "no answer")
        if losesRequest { throw lost }
        let result = try await inner.transaction(transaction)
        if losesReply { throw lost }
        return result
    }

    func get(_ key: String) async throws(MetadataError) -> Entry? {
        let entry = try await inner.get(key)
        try? await rival(inner)
        return entry
    }

    func range(prefix: String) async throws(MetadataError) -> Snapshot {
        try await inner.range(prefix: prefix)
    }

    func watch(prefix: String, after revision: Revision) -> Watch {
        inner.watch(prefix: prefix, after: revision)
    }

    func grantLease(ttl: Duration) async throws(MetadataError) -> Lease {
        try await inner.grantLease(ttl: ttl)
    }

    func keepAlive(_ lease: LeaseID) async throws(MetadataError) -> Lease {
        try await inner.keepAlive(lease)
    }

    func revoke(_ lease: LeaseID) async throws(MetadataError) { try await inner.revoke(lease) }

    func standing() async -> StoreStanding { await inner.standing() }

    func close() async { await inner.close() }
}
