import API
import EngineCommands
import Records
import Testing

@testable import Control

@Suite struct ExportsTests {
    @Test func aClientAttachesTheVolumeUntilItLeaves() async throws {
        try await TestCluster.with(2) { _, nodes in
            _ = try await nodes[0].requests.create(
                CreateVolumeRequest(name: "data", copiesOn: ["v1", "v2"]))
            let id = try await nodes[1].until("there") { $0.volume(named: "data")?.record.id }
            nodes[1].engine.report(.exportWanted(token: 7, name: "data"))
            try await nodes[1].until("attached") { view in
                view.statuses[id]?.node == nodes[1].id && view.statuses[id]!.isAttached
                    ? true : nil
            }
            nodes[0].engine.report(.exportWanted(token: 8, name: "data"))
            await #expect {
                try await nodes[0].requests.attach("data", AttachRequest())
            } throws: { "\($0)".contains("attached at node v2") }
            nodes[1].engine.report(.exportIdle(id))
            try await nodes[0].until("detached") { view in
                view.wanted[id]?.record.attachTo == nil ? true : nil
            }
            #expect(nodes[1].devices.steps.isEmpty)
            #expect(nodes[0].view.wanted[id]?.record.parkedAt == nodes[1].id)
        }
    }

    @Test func whatIsMountedHereIsRefused() async throws {
        try await TestCluster.with(1) { _, nodes in
            _ = try await nodes[0].requests.create(CreateVolumeRequest(name: "data", level: 1))
            _ = try await nodes[0].requests.attach("data", AttachRequest(mount: true))
            let id = try #require(nodes[0].view.volume(named: "data")?.record.id)
            let keeper = await nodes[0].plane.keeper(of: id)
            await #expect(throws: ExportRefusal.self) { try await keeper.beginExport() }
        }
    }
}
