import Metadata
import Synchronization

@testable import MetadataEtcd

/// An etcd that keeps no more of the past than it is told: in `ciod`'s life etcd itself sees to
/// that, every five minutes at most.
final class TrimmingEtcd: WrappedStore {
    private let etcd: EtcdStore
    private let limits: HistoryLimits
    private let kept = Mutex<[(revision: Revision, changes: Int, bytes: Int)]>([])

    var inner: any MetadataStore { etcd }

    init(_ etcd: EtcdStore, _ limits: HistoryLimits) {
        self.etcd = etcd
        self.limits = limits
    }

    func transaction(
        _ transaction: Transaction
    ) async throws(MetadataError) -> TransactionResult {
        let result = try await etcd.transaction(transaction)
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
        if let cut { try await etcd.compact(through: cut) }
        return result
    }
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
