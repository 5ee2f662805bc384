import Metadata
import Records
import Testing

@testable import Control

@Suite struct LeadKeeperTests {
    @Test func backup1LeadsWhenSdsIsLost() async throws {
        try await TestCluster.with(3) { _, nodes in
            try await nodes[1].until("sds leads") {
                $0.lead?.record.node == nodes[0].id ? true : nil
            }
            await nodes[0].die()
            try await nodes[1].until("backup1 leads") {
                $0.lead?.record.node == nodes[1].id ? true : nil
            }
            try await nodes[1].until("roles move") { view in
                view.nodes[nodes[1].id]?.record.role == .sds ? true : nil
            }
            #expect(try await nodes[1].event(.nodeLost).contains("node v1"))
        }
    }

    @Test func aNodeThatComesBackIsToldOf() async throws {
        try await TestCluster.with(3) { cluster, nodes in
            await nodes[2].die()
            try await nodes[0].until("lost") { $0.lost[nodes[2].id] != nil ? true : nil }
            _ = try await cluster.start("v3", again: nodes[2])
            try await nodes[0].until("back") { $0.lost[nodes[2].id] == nil ? true : nil }
            #expect(try await nodes[0].event(.nodeBack).contains("v3"))
        }
    }

    /// The leases of all have run out, and they come back one after the other: whoever is first
    /// must not take the others for dead.
    @Test func afterAnOutageOfTheMetadataServiceNobodyIsTakenForDead() async throws {
        try await TestCluster.with(3) { cluster, nodes in
            for node in nodes {
                let lease = try #require(node.plane.context.liveness.lease)
                try await cluster.store.revoke(lease)
            }
            try await nodes[1].until("all gone") { $0.alive.isEmpty ? true : nil }
            try await nodes[1].until("all back, and led") { view in
                view.alive.count == 3 && view.lead?.record.node == nodes[0].id ? true : nil
            }
            #expect(!(try await nodes[1].eventCodes()).contains(EventCode.nodeLost.rawValue))
        }
    }

    @Test func aLeadThatIsLostChangesNothing() async throws {
        try await TestCluster.with(1) { cluster, nodes in
            let lead = try await nodes[0].until("a lead") { $0.lead }
            _ = try await cluster.store.delete(Keys.lead)
            let keeper = LeadKeeper(context: nodes[0].plane.context)
            let done = try await keeper.commit(lead: lead, if: [], then: [.delete(Keys.cluster)])
            #expect(!done)
            #expect(try await cluster.store.get(Keys.cluster) != nil)
        }
    }
}
