import API
import Metadata
import Records
import Synchronization
import Testing

@testable import Control

/// Performs transactions that touch a volume's configuration, and loses every second answer.
private final class ForgetfulStore: MetadataStore {
    private let store = MemoryStore()
    private let count = Mutex(0)

    func transaction(
        _ transaction: Transaction
    ) async throws(MetadataError) -> TransactionResult {
        let result = try await store.transaction(transaction)
        let isChange = transaction.thenOperations.contains { operation in
            guard case .put(let key, _, _) = operation else { return false }
            return key.hasPrefix(Keys.configurations)
        }
        let number = count.withLock { count in
            if isChange { count += 1 }
            return count
        }
        guard isChange, number % 2 == 0 else { return result }
        throw MetadataError(
            .unavailable, outcome: .unknown, operation: "transaction", object: "a test",
            cause: "the answer was lost")
    }

    func get(_ key: String) async throws(MetadataError) -> Entry? { try await store.get(key) }
    func range(prefix: String) async throws(MetadataError) -> Snapshot {
        try await store.range(prefix: prefix)
    }
    func watch(prefix: String, after revision: Revision) -> Watch {
        store.watch(prefix: prefix, after: revision)
    }
    func grantLease(ttl: Duration) async throws(MetadataError) -> Lease {
        try await store.grantLease(ttl: ttl)
    }
    func keepAlive(_ lease: LeaseID) async throws(MetadataError) -> Lease {
        try await store.keepAlive(lease)
    }
    func revoke(_ lease: LeaseID) async throws(MetadataError) { try await store.revoke(lease) }
    func standing() async -> StoreStanding { await store.standing() }
    func close() async { await store.close() }
}

@Suite struct ConfigurationTests {
    @Test func aLostAnswerIsAskedForAgainAndNotTakenForADefeat() async throws {
        try await TestCluster.with(2, store: ForgetfulStore()) { _, nodes in
            _ = try await nodes[0].requests.create(
                CreateVolumeRequest(name: "data", copiesOn: ["v1", "v2"]))
            let id = try await nodes[0].until("there") { $0.volume(named: "data")?.record.id }
            for target in ["v2", "v1", "v2"] {
                _ = try await nodes[0].requests.move("data", MoveRequest(node: target))
            }
            let record = try #require(nodes[0].view.configurations[id]?.record)
            // Created, claimed, then released and claimed three times.
            #expect(record.epoch == 7)
        }
    }
}
