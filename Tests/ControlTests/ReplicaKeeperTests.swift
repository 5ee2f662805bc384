import API
import Metadata
import Records
import Testing
import Units

@testable import Control

@Suite struct ReplicaKeeperTests {
    @Test func anEmptyStoreBesideFullDrivesDeletesNothing() async throws {
        let storage = FakeStorage()
        _ = try await storage.create(NewReplica(
            cluster: .random(), volume: .random(), replica: .random(), drive: storage.drive,
            sizeBytes: 1 << 30))
        let cluster = TestCluster()
        defer { cluster.end() }
        let node = try await TestNode("v1", in: cluster, id: nil, storage: storage)
        defer { node.task.cancel() }
        #expect(try await node.event(.unknownReplica).contains("left alone"))
        #expect(try await storage.replicas().count == 1)
        #expect(node.engine.registered.isEmpty)
    }

    @Test func removingAVolumeDeletesItsCopiesEvenLater() async throws {
        try await TestCluster.with(3) { cluster, nodes in
            _ = try await nodes[0].requests.create(
                CreateVolumeRequest(name: "data", copiesOn: ["v2", "v3"]))
            await nodes[2].die()
            #expect(try await nodes[0].requests.remove("data").message == "Remove vd1")
            try await nodes[0].until("one tombstone left") { view in
                view.wanted.isEmpty && view.tombstones.count == 1 ? true : nil
            }
            #expect(try await nodes[1].storage.replicas().isEmpty)
            let again = try await cluster.start("v3", again: nodes[2])
            try await again.until("none left") { view in
                view.isAlive(again.id) && view.tombstones.isEmpty ? true : nil
            }
            #expect(try await again.storage.replicas().isEmpty)
            _ = try await nodes[0].requests.create(CreateVolumeRequest(name: "data"))
            #expect(nodes[0].view.volume(named: "data")?.record.vdisk == 1)
        }
    }

    @Test func aCopyInSyncThatIsMissingIsNotMadeAnew() async throws {
        try await TestCluster.with(2) { cluster, nodes in
            _ = try await nodes[0].requests.create(
                CreateVolumeRequest(name: "data", copiesOn: ["v1", "v2"]))
            await nodes[1].die()
            nodes[1].storage.state.withLock { $0.replicas = [:] }
            let again = try await cluster.start("v2", again: nodes[1])
            _ = try await again.event(.replicaMissing)
            #expect(try await again.storage.replicas().isEmpty)
        }
    }
}
