import Metadata
import Records
import Testing

@testable import Control

@Suite struct JoinTests {
    @Test func theFirstThreeNodesVote() async throws {
        try await TestCluster.with(4) { _, nodes in
            let roles = nodes[3].view.nodesByNumber.map(\.role)
            #expect(roles == [.sds, .backup1, .backup2, .standard])
            #expect(nodes[3].view.nodesByNumber.map(\.name) == ["v1", "v2", "v3", "v4"])
        }
    }

    @Test func joiningAgainChangesNothing() async throws {
        try await TestCluster.with(2) { cluster, nodes in
            let before = try await cluster.store.get(Keys.cluster)
            await nodes[1].die()
            let again = try await cluster.start("v2", again: nodes[1])
            try await again.until("back") { $0.isAlive(again.id) ? true : nil }
            #expect(try await cluster.store.get(Keys.cluster) == before)
            #expect(again.view.nodes[again.id]?.record.role == .backup1)
        }
    }

    @Test func aNameBelongsToOneNode() async throws {
        try await TestCluster.with(1) { cluster, _ in
            await #expect(throws: JoinError.self) { _ = try await cluster.start("v1") }
        }
    }
}
