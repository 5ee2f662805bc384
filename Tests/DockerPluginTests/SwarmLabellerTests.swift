import Control
import Logging
import Synchronization
import Testing

@testable import DockerPlugin

/// Against an imitation of the Engine API.
@Suite(.serialized) struct SwarmLabellerTests {
    /// What the test moves.
    private final class World: Sendable {
        let members = Mutex<[NodeStanding]?>([])
        let now = Mutex(1_000.0)

        func live(_ names: String...) {
            members.withLock { $0 = names.enumerated().map { index, name in
                NodeStanding(
                    name: name, address: "10.0.0.\(index + 1)", isAlive: true, isHere: index == 0)
            } }
        }
        func end(_ name: String) {
            members.withLock { members in
                for index in members!.indices where members![index].name == name {
                    members![index].isAlive = false
                }
            }
        }
        func pass(_ seconds: Double) { now.withLock { $0 += seconds } }
    }

    private func withSwarm(
        _ body: (FakeDockerAPI, World, SwarmLabeller) async throws -> Void
    ) async throws {
        let docker = try FakeDockerAPI()
        defer { docker.end() }
        docker.state.withLock { state in
            state.here = "id1"
            state.nodes = [
                "id1": .init(
                    hostname: "elsewhere", address: "127.0.0.1", manager: "192.168.0.1:2377"),
                "id2": .init(
                    hostname: "x", address: "0.0.0.0", manager: "10.0.0.2:2377",
                    labels: ["zone": "a", "cio": "maybe"], availability: "drain"),
                "id3": .init(hostname: "N3.example.org", address: "192.168.0.3"),
                "id4": .init(hostname: "stranger", address: "192.168.0.4"),
            ]
        }
        let world = World()
        world.live("n1", "n2", "n3")
        var logger = Logger(label: "test")
        logger.logLevel = .critical
        try await body(docker, world, SwarmLabeller(
            engine: DockerEngine(socketPath: docker.path),
            members: { world.members.withLock { $0 } }, now: { world.now.withLock { $0 } },
            logger: logger))
    }

    @Test func nodesWithALivingCiodAreFoundByIDAddressAndName() async throws {
        try await withSwarm { docker, _, labeller in
            await labeller.label()
            #expect(docker.labels(of: "id1") == ["cio": "true"])
            #expect(docker.labels(of: "id2") == ["cio": "true", "zone": "a"])
            #expect(docker.labels(of: "id3") == ["cio": "true"])
            #expect(docker.labels(of: "id4") == [:])
            // Nothing but the label is changed, and nothing a second time.
            #expect(docker.state.withLock { $0.nodes["id2"]!.availability } == "drain")
            #expect(docker.updates.count == 3)
            await labeller.label()
            #expect(docker.updates.count == 3)
        }
    }

    @Test func aNodeIsLabelledFalseOnlyAfterALongSilence() async throws {
        try await withSwarm { docker, world, labeller in
            await labeller.label()
            world.end("n3")
            world.pass(25)
            await labeller.label()
            // A restart: it was away, and is there again before anybody is told.
            world.live("n1", "n2", "n3")
            await labeller.label()
            world.end("n3")
            await labeller.label()
            world.pass(25)
            await labeller.label()
            #expect(docker.labels(of: "id3") == ["cio": "true"])
            // Nobody knows of a ciod on this one, since the first look.
            #expect(docker.labels(of: "id4") == ["cio": "false"])
            world.pass(10)
            await labeller.label()
            #expect(docker.labels(of: "id3") == ["cio": "false"])
            world.live("n1", "n2", "n3")
            await labeller.label()
            #expect(docker.labels(of: "id3") == ["cio": "true"])
        }
    }

    @Test func aLabelOfANodeThatTheClusterDoesNotKnowIsLeft() async throws {
        try await withSwarm { docker, world, labeller in
            docker.state.withLock { $0.nodes["id4"]!.labels = ["cio": "true"] }
            await labeller.label()
            world.pass(1_000)
            await labeller.label()
            #expect(docker.labels(of: "id4") == ["cio": "true"])
        }
    }

    @Test func oneNameOfTwoMachinesSaysNothing() async throws {
        try await withSwarm { docker, _, labeller in
            docker.state.withLock { $0.nodes["id4"]!.hostname = "n3" }
            await labeller.label()
            #expect(docker.labels(of: "id3") == [:])
            #expect(docker.labels(of: "id4") == [:])
        }
    }

    @Test func aChangeOfSomebodyElseAtThatMomentIsKept() async throws {
        try await withSwarm { docker, _, labeller in
            docker.state.withLock { state in
                state.beforeUpdate = { state in
                    for id in state.nodes.keys {
                        state.nodes[id]!.labels["rack"] = "7"
                        state.nodes[id]!.version += 1
                    }
                }
            }
            await labeller.label()
            for id in ["id1", "id2", "id3"] {
                #expect(docker.labels(of: id)?["cio"] == "true")
                #expect(docker.labels(of: id)?["rack"] == "7")
            }
        }
    }

    @Test func aWorkerChangesNothing() async throws {
        try await withSwarm { docker, _, labeller in
            docker.state.withLock { $0.isManager = false }
            await labeller.label()
            #expect(docker.updates.isEmpty)
        }
    }

    @Test func nothingIsChangedBeforeTheRecordsAreRead() async throws {
        try await withSwarm { docker, world, labeller in
            world.members.withLock { $0 = nil }
            await labeller.label()
            #expect(docker.state.withLock { $0.requests }.isEmpty)
        }
    }

    @Test func withoutDockerNothingHappens() async throws {
        try await withSwarm { docker, world, _ in
            let labeller = SwarmLabeller(
                engine: DockerEngine(socketPath: "/nowhere/docker.sock"),
                members: { world.members.withLock { $0 } }, now: { 0 },
                logger: Logger(label: "test"))
            await labeller.label()
            #expect(docker.updates.isEmpty)
        }
    }
}
