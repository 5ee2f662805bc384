import Metadata
import Synchronization

@testable import MetadataEtcd

/// An etcd that keeps no more of the past than it is told: in `ciod`'s life etcd itself sees to
/// that, every five minutes at most.
final class TrimmingEtcd: MetadataStore {
    private let inner: EtcdStore
    private let limits: HistoryLimits
    private let kept = Mutex<[(revision: Revision, changes: Int, bytes: Int)]>([])

    init(_ inner: EtcdStore, _ limits: HistoryLimits) {
        self.inner = inner
        self.limits = limits
    }

    func transaction(
        _ transaction: Transaction
    ) async throws(MetadataError) -> TransactionResult {
        let result = try await inner.transaction(transaction)
        let puts = transaction.thenOperations.compactMap { operation -> Int? in
            guard case .put(let key, let value, _) = operation else { return nil }
            return key.utf8.count + value.count
        }
        let cut = kept.withLock { kept -> Revision? in
            kept.append((result.revision, puts.count, puts.reduce(0, +)))
            var cut: Revision?
            while kept.reduce(0, { $0 + $1.changes }) > limits.changesMax
                || kept.reduce(0, { $0 + $1.bytes }) > limits.bytesMax
            { cut = kept.removeFirst().revision }
            return cut
        }
        if let cut { try await inner.compact(through: cut) }
        return result
    }

    func get(_ key: String) async throws(MetadataError) -> Entry? { try await inner.get(key) }

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

private struct CompactionRequest: Encodable {
    var revision: Int64Text
}

extension EtcdStore {
    /// Makes etcd forget what was before, and deletions in it.
    func compact(through revision: Revision) async throws(MetadataError) {
        let call = try session.call(
            "compaction", on: "etcd", "/v3/kv/compaction",
            CompactionRequest(revision: Int64Text(revision.rawValue)))
        let _: HeaderResponse = try await session.answer(call)
    }
}
