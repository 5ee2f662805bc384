import Testing

@testable import DockerPlugin

@Suite struct PluginUpkeepTests {
    private let test: TestPlugin
    private var plugin: Plugin { test.plugin }

    init() throws {
        test = try TestPlugin()
        test.volumes.add("db")
    }

    private func sees(_ namespaces: Set<String>, listed: Set<String>? = []) {
        test.host.state.withLock { state in
            state.holders["id-db"] = namespaces
            state.listed = listed
        }
    }

    @Test func referencesOutliveTheProcess() async throws {
        _ = try await test.mount("db", "1")
        test.volumes.hold([])
        let again = test.restarted()
        // From the start on, before anybody could ask for the volume.
        #expect(test.volumes.held == ["id-db"])
        #expect(await again.references == plugin.references)
    }

    @Test func whatCameForDockerIsLetGoAfterAReboot() async throws {
        _ = try await test.mount("db", "1")
        let again = test.rebooted()
        #expect(test.volumes.held == [])
        await again.upkeep()
        #expect(test.volumes.steps.last == "let go db")
        #expect(await again.references.isEmpty)
    }

    @Test func whatDockerMountsAgainAfterARebootStays() async throws {
        _ = try await test.mount("db", "1")
        let again = test.rebooted()
        _ = try await again.answer(.mount, body: Array(#"{"Name":"db","ID":"1"}"#.utf8))
        await again.upkeep()
        #expect(!test.volumes.steps.contains("let go db"))
        #expect(test.volumes.held == ["id-db"])
        _ = try await again.answer(.unmount, body: Array(#"{"Name":"db","ID":"1"}"#.utf8))
        #expect(test.volumes.steps.last == "let go db")
    }

    @Test func aContainerThatIsGoneWithoutAWordFreesItsVolume() async throws {
        _ = try await test.mount("db", "1")
        sees(["200"], listed: ["db"])
        test.host.pass(100)
        await plugin.upkeep()
        #expect(test.volumes.held == ["id-db"])
        sees([], listed: [])
        await plugin.upkeep()
        #expect(test.volumes.held == [])
        #expect(test.volumes.steps.last == "let go db")
        #expect(test.volumes.state.withLock { $0.usersGone } == 1)
        #expect(await plugin.references.isEmpty)
    }

    @Test func aContainerThatStartsIsLeftAlone() async throws {
        _ = try await test.mount("db", "1")
        await plugin.upkeep()
        test.host.pass(19)
        await plugin.upkeep()
        #expect(test.volumes.held == ["id-db"])
    }

    @Test func whereDockerCannotBeAskedItTakesLonger() async throws {
        _ = try await test.mount("db", "1")
        sees([], listed: nil)
        test.host.pass(100)
        await plugin.upkeep()
        #expect(test.volumes.held == ["id-db"])
        test.host.pass(31)
        await plugin.upkeep()
        #expect(test.volumes.held == [])
    }

    @Test func containersWithoutAReferenceGetOne() async throws {
        _ = try await test.volumes.bring("db", atMost: .zero)
        sees(["200", "201"])
        await plugin.upkeep()
        #expect(test.volumes.held == ["id-db"])
        #expect(await plugin.references.volumes["id-db"]?.ids.keys.sorted() == ["found:200", "found:201"])
        sees(["201"])
        await plugin.upkeep()
        #expect(await plugin.references.volumes["id-db"]?.ids.keys.sorted() == ["found:201"])
        sees([])
        test.host.pass(20)
        await plugin.upkeep()
        #expect(test.volumes.held == [])
        #expect(test.volumes.steps.last == "let go db")
    }

    @Test func aVolumeThatAnotherNodeTookHasNoUsersHere() async throws {
        _ = try await test.mount("db", "1")
        test.volumes.lose("db")
        await plugin.upkeep()
        #expect(test.volumes.held == [])
        #expect(await plugin.references.isEmpty)
        #expect(test.volumes.steps == ["bring db"])
        // Docker says it later, and it is no error.
        try await test.unmount("db", "1")
    }

    @Test func nothingIsForgottenBeforeTheRecordsAreRead() async throws {
        _ = try await test.mount("db", "1")
        test.volumes.state.withLock { state in
            state.isInformed = false
            state.volumes = [:]
        }
        await plugin.upkeep()
        #expect(test.volumes.held == ["id-db"])
    }

    @Test func aNodeWithoutVolumesLooksAtNothing() async throws {
        for _ in 0..<3 { await plugin.upkeep() }
        #expect(test.host.state.withLock { $0.looks } == 0)
    }
}
