import Control
import Testing

@testable import DockerPlugin

@Suite struct PluginMountingTests {
    private let test: TestPlugin
    private var plugin: Plugin { test.plugin }

    init() throws {
        test = try TestPlugin()
        test.volumes.add("db")
    }

    @Test func aMountBringsTheVolumeAndGivesAFolderOfIt() async throws {
        #expect(try await test.mount("db", "1") == "/volumes/vd1/data")
        #expect(test.host.state.withLock { $0.prepared } == ["/volumes/vd1/data"])
        #expect(test.volumes.held == ["id-db"])
        let described = try await test.call(.get, "{\"Name\":\"db\"}")
        #expect(described.volume?.mountpoint == "/volumes/vd1/data")
        #expect(try await test.call(.path, "{\"Name\":\"db\"}").mountpoint == "/volumes/vd1/data")
    }

    @Test func callsThatComeBeforeTheRecordsWaitForThem() async throws {
        test.volumes.state.withLock { $0.isInformed = false }
        for call in [PluginCall.list, .get, .path, .mount] {
            await #expect(throws: RequestError.self) {
                _ = try await test.call(call, "{\"Name\":\"none\",\"ID\":\"1\"}")
            }
        }
        test.volumes.state.withLock { $0.recordsCome = true }
        #expect(try await test.call(.list, "").volumes?.map(\.name) == ["db"])
        #expect(try await test.mount("db", "1") == "/volumes/vd1/data")
    }

    @Test func aVolumeGoesWithItsLastReference() async throws {
        for id in ["1", "2"] { _ = try await test.mount("db", id) }
        try await test.unmount("db", "1")
        #expect(test.volumes.held == ["id-db"])
        try await test.unmount("db", "2")
        #expect(test.volumes.held == [])
        #expect(test.volumes.steps == ["bring db", "bring db", "let go db"])
        #expect(try await test.call(.path, "{\"Name\":\"db\"}").mountpoint == "")
        #expect(await plugin.references.isEmpty)
        #expect(test.volumes.state.withLock { $0.letGoWhileHeld } == 0)
    }

    @Test func mountAndUnmountAreTheSameTwice() async throws {
        for _ in 0..<2 { #expect(try await test.mount("db", "1") == "/volumes/vd1/data") }
        for _ in 0..<2 { try await test.unmount("db", "1") }
        try await test.unmount("db", "never-there")
        #expect(await plugin.references.isEmpty)
        #expect(test.volumes.steps.filter { $0 == "let go db" }.count == 1)
    }

    @Test func aVolumeThatWasHereBeforeDockerAskedStays() async throws {
        test.volumes.add("own", attachedTo: "here")
        _ = try await test.mount("own", "1")
        try await test.unmount("own", "1")
        #expect(test.volumes.steps == ["bring own"])
        #expect(await plugin.references.isEmpty)
    }

    @Test func aMountThatFailsLeavesNoReference() async throws {
        test.volumes.refuse(RequestError(.conflict, "Mount db", why: "the volume is in use at node v2"))
        await #expect(throws: RequestError.self) { try await test.mount("db", "1") }
        #expect(test.volumes.held == [])
        #expect(await !plugin.references.isUsed("id-db"))
        // The order to bring it stands; the next upkeep takes it back.
        test.volumes.refuse(nil)
        _ = try await test.volumes.bring("db", atMost: .zero)
        await plugin.upkeep()
        #expect(test.volumes.steps.last == "let go db")
        #expect(await plugin.references.isEmpty)
    }

    @Test func aMountAgainThatFailsKeepsTheReference() async throws {
        _ = try await test.mount("db", "1")
        test.volumes.refuse(RequestError(.unavailable, "Mount db", why: "away"))
        await #expect(throws: RequestError.self) { try await test.mount("db", "1") }
        #expect(test.volumes.held == ["id-db"])
    }

    @Test func whatCannotBeKeptIsNotDone() async throws {
        let plugin = Plugin(
            volumes: test.volumes, host: test.host, file: ReferenceFile(path: "/nowhere/x"),
            boot: "b", logger: .init(label: "test"))
        await #expect(throws: RequestError.self) {
            try await plugin.answer(.mount, body: Array("{\"Name\":\"db\",\"ID\":\"1\"}".utf8))
        }
        #expect(test.volumes.steps == [])
        #expect(test.volumes.held == [])
    }

    @Test func aVolumeInUseIsNotRemoved() async throws {
        _ = try await test.mount("db", "1")
        await #expect {
            _ = try await test.call(.remove, "{\"Name\":\"db\"}")
        } throws: { "\($0)".contains("the volume is in use on this node") }
        try await test.unmount("db", "1")
        _ = try await test.call(.remove, "{\"Name\":\"db\"}")
        #expect(test.volumes.standings().isEmpty)
    }

    @Test(arguments: [
        (PluginCall.get, "{\"Name\":\"none\"}"), (.path, "{\"Name\":\"none\"}"),
        (.remove, "{\"Name\":\"none\"}"), (.mount, "{\"Name\":\"none\",\"ID\":\"1\"}"),
        (.unmount, "{\"Name\":\"none\",\"ID\":\"1\"}"), (.mount, "{\"Name\":\"db\"}"),
        (.mount, "{\"Name\":\"db\",\"ID\":\"\"}"), (.mount, "{\"Name\":\"db\",\"ID\":\"a b\"}"),
        (.mount, "{\"Name\":\"db\",\"ID\":\"found:1\"}"), (.mount, "nonsense"),
        (.create, "{\"Name\":\"x\",\"Opts\":{\"colour\":\"red\"}}"), (.unmount, "{\"Name\":\"db\"}"),
    ])
    func whatCannotBeIsAnErrorAndChangesNothing(call: PluginCall, body: String) async throws {
        await #expect(throws: RequestError.self) { _ = try await test.call(call, body) }
        #expect(test.volumes.steps == [])
        #expect(test.volumes.standings().map(\.name) == ["db"])
        #expect(await plugin.references.isEmpty)
    }

    @Test func manyMountsAtOnceLeaveWhatTheyShould() async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            for number in 0..<200 {
                group.addTask { [test] in
                    _ = try await test.mount("db", "\(number)")
                    if number % 2 == 0 { try await test.unmount("db", "\(number)") }
                }
            }
            try await group.waitForAll()
        }
        #expect(await plugin.references.volumes["id-db"]?.ids.count == 100)
        #expect(test.volumes.held == ["id-db"])
        #expect(test.volumes.state.withLock { $0.letGoWhileHeld } == 0)
    }
}
