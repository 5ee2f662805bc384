import API
import Metadata
import Synchronization
import Testing

@testable import Control

/// A memory store that says of itself what a test wants.
private final class StagedStore: MetadataStore {
    private let store = MemoryStore()
    let staged = Mutex(StoreStanding(kind: .etcd, isReachable: true, endpoints: []))

    func standing() async -> StoreStanding { staged.withLock { $0 } }
    func transaction(
        _ transaction: Transaction
    ) async throws(MetadataError) -> TransactionResult {
        try await store.transaction(transaction)
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
    func close() async { await store.close() }
}

@Suite struct ClusterInfoTests {
    @Test func minimaAreSummedUpForTheClusterAndForEachOwner() async throws {
        try await TestCluster.with(2) { _, nodes in
            for (name, owner, iops, bandwidth) in [
                ("a", "v1", 300, 10), ("b", "v1", 1000, 0), ("c", "v2", 50, 5),
            ] as [(String, String, UInt64, UInt64)] {
                _ = try await nodes[0].requests.create(
                    CreateVolumeRequest(
                        name: name, iopsMin: iops, bandwidthMin: bandwidth, node: owner))
            }
            _ = try await nodes[0].until("all owned") { view in
                ["a", "b", "c"].allSatisfy { name in
                    let id = view.volume(named: name)?.record.id
                    return id.flatMap { view.configurations[$0]?.record.owner } != nil
                } ? true : nil
            }
            let all = try await nodes[0].requests.cluster(node: nil)
            #expect(all.vdisks == 3)
            #expect(all.iops.provisioned == 1350)
            #expect(all.bandwidth.provisioned == 15)
            let one = try await nodes[0].requests.cluster(node: "v1")
            #expect(one.vdisks == 2)
            #expect(one.iops.provisioned == 1300)
            #expect(one.bandwidth.provisioned == 10)
        }
    }

    @Test func whereTheMetadataServiceIsAwayTheConditionSaysSo() async throws {
        let store = StagedStore()
        try await TestCluster.with(1, store: store) { _, nodes in
            let fine = try await nodes[0].requests.cluster(node: nil)
            #expect(fine.metadataService == MetadataServiceInfo(
                kind: "etcd", isReachable: true, endpoints: []))
            #expect(!fine.reasons.contains { $0.contains("metadata service") })
            store.staged.withLock {
                $0.endpoints = [
                    .init(address: "http://a:2379", isReachable: true, role: "leader"),
                    .init(address: "http://b:2379", isReachable: false),
                ]
            }
            let degraded = try await nodes[0].requests.cluster(node: nil)
            #expect(degraded.condition == "warning")
            #expect(degraded.reasons.contains(
                "http://b:2379 of the metadata service does not answer"))
            #expect(degraded.metadataService.endpoints.map(\.role) == ["leader", nil])
            store.staged.withLock { $0.isReachable = false }
            let away = try await nodes[0].requests.cluster(node: nil)
            #expect(!away.metadataService.isReachable)
            // One line, not one more for each member.
            #expect(away.reasons.filter { $0.contains("metadata service") } == [
                "the metadata service does not answer: what changes a record waits",
            ])
        }
    }
}
