import API
import Records
import Synchronization
import Testing
import Units

@testable import Control

@Suite struct MountingTests {
    private static let patience = TestCluster.patience

    private func add(_ node: TestNode, on copies: [String]) async throws -> WantedVolume {
        _ = try await node.requests.create(CreateVolumeRequest(name: "data", copiesOn: copies))
        return try await node.until("served") { view in
            view.volume(named: "data").flatMap { volume in
                view.configurations[volume.record.id]!.record.epoch > 0 ? volume.record : nil
            }
        }
    }

    /// As a container engine does it: held first, then brought.
    private func use(_ node: TestNode, _ volume: WantedVolume) async throws -> VolumeStanding {
        node.requests.hold([volume.id.text])
        return try await node.requests.bring("data", atMost: Self.patience)
    }

    @Test func aVolumeIsBroughtAndLetGoAgain() async throws {
        try await TestCluster.with(2) { _, nodes in
            let volume = try await add(nodes[0], on: ["v1", "v2"])
            let there = try await use(nodes[1], volume)
            #expect(there.mountPoint == "/volumes/v2/vd1")
            #expect(there.isWantedHere && there.attachedTo == "v2")
            #expect(nodes[1].devices.steps.last == "mount xfs /volumes/v2/vd1")
            // The same again changes nothing.
            let steps = nodes[1].devices.steps
            #expect(try await use(nodes[1], volume) == there)
            #expect(nodes[1].devices.steps == steps)

            nodes[1].requests.hold([])
            try await nodes[1].requests.letGo(volume.id.text, atMost: Self.patience)
            #expect(nodes[1].devices.steps.suffix(3) == ["unmount", "no device", "no disk"])
            let gone = try #require(nodes[1].requests.standing(named: "data"))
            #expect(gone.attachedTo == nil && gone.mountPoint == nil && !gone.isElsewhere)
        }
    }

    @Test func itComesFromANodeWhereNobodyUsesIt() async throws {
        try await TestCluster.with(2) { _, nodes in
            let volume = try await add(nodes[0], on: ["v1", "v2"])
            _ = try await use(nodes[0], volume)
            nodes[0].requests.hold([])
            _ = try await use(nodes[1], volume)
            #expect(nodes[0].devices.steps.suffix(3) == ["unmount", "no device", "no disk"])
            try await nodes[0].until("elsewhere") { _ in
                nodes[0].requests.standing(named: "data")?.isElsewhere == true ? true : nil
            }
            let codes = try await nodes[1].eventCodes()
            #expect(codes.count { $0 == EventCode.volumeCreated.rawValue } == 2)
            #expect(codes.contains(EventCode.volumeRemoved.rawValue))
        }
    }

    @Test func whereItIsUsedItStays() async throws {
        try await TestCluster.with(2) { _, nodes in
            let volume = try await add(nodes[0], on: ["v1", "v2"])
            _ = try await use(nodes[0], volume)
            nodes[1].requests.hold([volume.id.text])
            await #expect {
                _ = try await nodes[1].requests.bring("data", atMost: Self.patience)
            } throws: { "\($0)".contains("the volume is in use at node v1") }
            await #expect(throws: RequestError.self) {
                _ = try await nodes[1].requests.move("data", MoveRequest(node: "v2"))
            }
            await #expect(throws: RequestError.self) {
                _ = try await nodes[0].requests.detach("data", DetachRequest())
            }
            try await nodes[0].requests.letGo(volume.id.text, atMost: .zero)
            #expect(!nodes[0].devices.steps.contains("unmount"))
            #expect(try await use(nodes[0], volume).mountPoint == "/volumes/v1/vd1")
        }
    }

    /// A Swarm starts the next task before it has ended the last one.
    @Test func anEngineWaitsForUsersToEnd() async throws {
        try await TestCluster.with(2, handover: TestCluster.patience) { _, nodes in
            let volume = try await add(nodes[0], on: ["v1", "v2"])
            _ = try await use(nodes[0], volume)
            let there = Task { try await use(nodes[1], volume) }
            try await nodes[0].until("ordered") { view in
                view.wanted[volume.id]?.record.attachTo == nodes[1].id ? true : nil
            }
            #expect(!nodes[0].devices.steps.contains("unmount"))
            nodes[0].requests.hold([])
            #expect(try await there.value.mountPoint == "/volumes/v2/vd1")
            #expect(nodes[0].devices.steps.suffix(3) == ["unmount", "no device", "no disk"])
            #expect(try await !nodes[1].eventCodes().contains(EventCode.volumeIsOpen.rawValue))
        }
    }

    @Test func whereTheEngineIsGoneItsContainersLoseTheVolume() async throws {
        try await TestCluster.with(2) { _, nodes in
            let volume = try await add(nodes[0], on: ["v1", "v2"])
            _ = try await use(nodes[0], volume)
            nodes[0].requests.askOfEngine { .gone }
            // Nobody's engine asks: an operator's order is refused all the same.
            await #expect(throws: RequestError.self) {
                _ = try await nodes[1].requests.move("data", MoveRequest(node: "v2"))
            }
            #expect(!nodes[0].devices.steps.contains("unmount lazily"))
            #expect(try await use(nodes[1], volume).mountPoint == "/volumes/v2/vd1")
            #expect(nodes[0].devices.steps.contains("unmount lazily"))
            #expect(nodes[0].devices.steps.contains("fail"))
            #expect(try await nodes[1].event(.takenFromUsers).contains("as node v2 wants it"))
        }
    }

    @Test func anEngineThatIsMissingIsWaitedFor() async throws {
        try await TestCluster.with(2) { _, nodes in
            let volume = try await add(nodes[0], on: ["v1", "v2"])
            _ = try await use(nodes[0], volume)
            let (asked, isAsked) = AsyncStream<Void>.makeStream()
            let life = Mutex(EngineLife.missing)
            nodes[0].requests.askOfEngine {
                isAsked.yield()
                return life.withLock { $0 }
            }
            let there = Task { try await use(nodes[1], volume) }
            var count = 0
            for await _ in asked {
                count += 1
                if count == 4 { break }
            }
            #expect(nodes[0].view.wanted[volume.id]?.record.attachTo == nodes[1].id)
            // It is back: its container goes on.
            life.withLock { $0 = .lives }
            await #expect { _ = try await there.value } throws: {
                "\($0)".contains("the volume is in use at node v1")
            }
            #expect(!nodes[0].devices.steps.contains("unmount lazily"))
        }
    }

    @Test func fromADeadNodeItIsTakenOver() async throws {
        try await TestCluster.with(3) { _, nodes in
            let volume = try await add(nodes[0], on: ["v1", "v2"])
            _ = try await use(nodes[0], volume)
            await nodes[0].die()
            #expect(try await use(nodes[1], volume).mountPoint == "/volumes/v2/vd1")
            #expect(try await nodes[1].event(.ownerChanged).contains("owner node v2 after v1"))
        }
    }

    /// A node that has stopped a moment ago still counts as alive.
    @Test func aSilentNodeIsWaitedForUntilItIsDead() async throws {
        try await TestCluster.with(3) { _, nodes in
            let volume = try await add(nodes[0], on: ["v1", "v2"])
            _ = try await use(nodes[0], volume)
            nodes[0].task.cancel()
            await nodes[0].task.value
            #expect(nodes[1].view.isAlive(nodes[0].id))
            #expect(try await use(nodes[1], volume).mountPoint == "/volumes/v2/vd1")
            #expect(!nodes[1].view.isAlive(nodes[0].id))
        }
    }

    @Test func whatIsNotInTimeIsAnErrorAndGoesOn() async throws {
        try await TestCluster.with(2) { _, nodes in
            let volume = try await add(nodes[0], on: ["v1", "v2"])
            _ = try await use(nodes[0], volume)
            nodes[0].task.cancel()
            await nodes[0].task.value
            nodes[1].requests.hold([volume.id.text])
            await #expect {
                _ = try await nodes[1].requests.bring("data", atMost: .milliseconds(50))
            } throws: { ($0 as? RequestError)?.kind == .timedOut }
            try await nodes[1].until("mounted all the same") { view in
                view.statuses[volume.id].flatMap { $0.node == nodes[1].id && $0.isMounted ? true : nil }
            }
        }
    }

    @Test func aMountThatSomebodyTookAwayIsMadeAgain() async throws {
        try await TestCluster.with(1) { _, nodes in
            _ = try await nodes[0].requests.create(CreateVolumeRequest(name: "data", level: 1))
            let volume = try await nodes[0].until("there") { $0.volume(named: "data")?.record }
            _ = try await use(nodes[0], volume)
            nodes[0].devices.state.withLock { _ = $0.vanished.insert("/volumes/v1/vd1") }
            #expect(try await use(nodes[0], volume).mountPoint == "/volumes/v1/vd1")
            #expect(nodes[0].devices.steps.count { $0.hasPrefix("mount ") } == 2)
        }
    }

    @Test func aNodeThatLosesAVolumeInUseTearsItsMountDown() async throws {
        try await TestCluster.with(2) { _, nodes in
            let volume = try await add(nodes[0], on: ["v1", "v2"])
            _ = try await use(nodes[0], volume)
            nodes[0].engine.end(volume.id, .deposed(epoch: 1))
            #expect(try await nodes[0].event(.mountTornDown).contains("its users here get errors"))
            while !nodes[0].devices.steps.contains("unmount lazily") { await Task.yield() }
        }
    }

    @Test func whatNobodyKnowsIsNotFound() async throws {
        try await TestCluster.with(1) { _, nodes in
            #expect(nodes[0].requests.isInformed)
            #expect(nodes[0].requests.standing(named: "none") == nil)
            #expect(nodes[0].requests.standing(id: "none") == nil)
            try await nodes[0].requests.letGo("none", atMost: .zero)
            await #expect {
                _ = try await nodes[0].requests.bring("none", atMost: .seconds(1))
            } throws: { ($0 as? RequestError)?.kind == .notFound }
        }
    }
}
