import API
import FoundationEssentials
import Testing

@testable import Playground

@Suite struct PlaygroundPlanTests {
    private let folder =
        FileManager.default.temporaryDirectory.path + "/cio-plan-\(UUID().uuidString)"

    private func playground() -> Playground {
        Playground(
            folder: folder, program: "/nowhere/ciod", clearDevices: { _ in [] },
            findMounts: { _ in [] }, releaseMountPoints: { _ in [] })
    }

    private func withFolder(_ body: () async throws -> Void) async throws {
        try FileManager.default.createDirectory(
            atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try await body()
    }

    @Test func everythingOfANodeLiesInItsOwnFolder() {
        let node = PlaygroundNode(number: 2, root: "/play", network: .loopback(9))
        #expect(node.name == "v2")
        #expect(node.address == "127.77.9.2")
        #expect(node.socket == "/play/v2/run/cio.sock")
        #expect(node.volumesFolder == "/play/v2/volumes")
        #expect(node.folders.allSatisfy { $0.path.hasPrefix("/play/v2") })
    }

    @Test func aPlanIsReadBackAsItWasWritten() async throws {
        try await withFolder {
            let plan = PlaygroundPlan(network: 7, nodes: 3, engine: "aio", rebuildDelay: 5, liveness: 7)
            try plan.save(to: folder)
            #expect(try PlaygroundPlan.load(from: folder) == plan)
        }
    }

    @Test func nodesShareASQLiteFileOrEtcd() {
        let playground = playground()
        let node = PlaygroundNode(number: 1, root: folder, network: .loopback(9))
        let plain = PlaygroundPlan(network: 9, nodes: 3)
        #expect(playground.store(plain, for: node) == [
            "--store", "sqlite:\(playground.folder)/store/metadata.sqlite",
        ])
        let plan = PlaygroundPlan(network: 9, nodes: 3, etcdMembers: 3)
        #expect(playground.store(plan, for: node) == [
            "--etcd",
            "http://127.77.9.202:2379,http://127.77.9.203:2379,http://127.77.9.201:2379",
        ])
    }

    @Test func aNodeAsksTheMemberBesideItFirst() {
        let plan = PlaygroundPlan(network: 0, nodes: 4, etcdMembers: 3, hasNamespaces: true)
        let node = PlaygroundNode(number: 2, root: folder, network: .bridged)
        #expect(playground().store(plan, for: node) == [
            "--etcd", "http://10.77.0.2:2379,http://10.77.0.3:2379,http://10.77.0.1:2379",
        ])
    }

    @Test func aMemberKnowsAllMembers() throws {
        let members = (1...3).map { PlaygroundMember(number: $0, root: "/play", network: .loopback(9)) }
        #expect(members[1].folder == "/play/etcd/m2")
        let arguments = members[1].arguments(among: members)
        let initial = try #require(arguments.firstIndex(of: "--initial-cluster"))
        #expect(
            arguments[initial + 1] == "m1=http://127.77.9.201:2380,m2=http://127.77.9.202:2380,"
                + "m3=http://127.77.9.203:2380")
    }

    @Test func aMemberIsNotTakenForANode() async throws {
        try await withFolder {
            try PlaygroundPlan(network: 7, nodes: 2, etcdMembers: 3).save(to: folder)
            let failure = await #expect(throws: APIError.self) {
                try await playground().kill("m1", lostPower: false)
            }
            #expect(try #require(failure).error.why == "it is a member of etcd and no node")
        }
    }

    @Test func withoutNamespacesThereIsNoCableToUnplug() async throws {
        try await withFolder {
            try PlaygroundPlan(network: 7, nodes: 2).save(to: folder)
            let next = "take it down, then: cio playground up --namespaces --dir "
                + playground().folder
            let cut = #expect(throws: APIError.self) { _ = try playground().cut("v1") }
            #expect(cut?.error.next == next)
            let uncut = #expect(throws: APIError.self) { try playground().uncut("v1") }
            #expect(uncut?.error.next == next)
            let entering = #expect(throws: APIError.self) {
                _ = try playground().entering("v1", "ls", [])
            }
            #expect(entering?.error.next == next)
        }
    }

    @Test func aNodeThatIsDownKeepsItsCableAsItWas() async throws {
        try await withFolder {
            try PlaygroundPlan(network: 0, nodes: 2, hasNamespaces: true).save(to: folder)
            let node = try playground().node(named: "v2", "Test")
            try FileManager.default.createDirectory(
                atPath: node.folder, withIntermediateDirectories: true)
            #expect(try playground().cut("v2")?.contains("v2 still reaches") == true)
            #expect(node.isCut)
            let again = #expect(throws: APIError.self) { _ = try playground().cut("v2") }
            #expect(again?.error.why == "it is cut already")
            #expect(try await playground().status().map(\.cable) == ["plugged", "cut"])
            try playground().uncut("v2")
            #expect(!node.isCut)
            let uncut = #expect(throws: APIError.self) { try playground().uncut("v2") }
            #expect(uncut?.error.why == "it is not cut")
        }
    }

    @Test func aPlaygroundWithoutEtcdDoesNotGetOne() async throws {
        try await withFolder {
            try PlaygroundPlan(network: 7, nodes: 2).save(to: folder)
            let failure = await #expect(throws: APIError.self) {
                try await playground().up(PlaygroundSettings(etcd: true)) { _ in }
            }
            #expect(try #require(failure).error.why.contains("other settings"))
        }
    }

    @Test func aFolderWithoutAPlaygroundIsToldAsSuch() async throws {
        let failure = await #expect(throws: APIError.self) { try await playground().down() }
        #expect(try #require(failure).error.why == "there is no playground in \(folder)")
    }

    @Test func aDamagedPlanIsNotTakenForAPlayground() async throws {
        try await withFolder {
            try Data("{}".utf8).write(to: URL(filePath: PlaygroundPlan.file(in: folder)))
            #expect(throws: APIError.self) { try PlaygroundPlan.load(from: folder) }
        }
    }

    @Test func downLeavesWhatIsNotOurs() async throws {
        try await withFolder {
            try PlaygroundPlan(network: 7, nodes: 2).save(to: folder)
            let stranger = "\(folder)/notes"
            try Data("mine".utf8).write(to: URL(filePath: stranger))
            try await playground().down()
            #expect(try FileManager.default.contentsOfDirectory(atPath: folder) == ["notes"])
        }
    }

    @Test func otherSettingsNeedADownFirst() async throws {
        try await withFolder {
            try PlaygroundPlan(network: 7, nodes: 2).save(to: folder)
            let failure = await #expect(throws: APIError.self) {
                try await playground().up(PlaygroundSettings(nodes: 3)) { _ in }
            }
            #expect(try #require(failure).error.next?.contains("down") == true)
        }
    }

    @Test func anUnknownNodeIsToldWithThoseThereAre() async throws {
        try await withFolder {
            try PlaygroundPlan(network: 7, nodes: 2).save(to: folder)
            let failure = await #expect(throws: APIError.self) {
                try await playground().start("v9")
            }
            #expect(try #require(failure).error.next == "its nodes are v1 to v2")
        }
    }
}
