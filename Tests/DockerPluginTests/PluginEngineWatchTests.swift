import Control
import Testing

@testable import DockerPlugin

@Suite struct PluginEngineWatchTests {
    private let test: TestPlugin

    init() throws {
        test = try TestPlugin()
        test.volumes.add("db")
    }

    private func docker(_ sign: EngineSign, at path: String = "/run/docker.sock") {
        test.host.state.withLock { state in
            state.engine = sign
            state.enginePath = path
        }
    }

    private func lifeAfter(_ seconds: Double, of plugin: Plugin) async -> EngineLife {
        test.host.pass(seconds)
        return await plugin.engineLife()
    }

    @Test func dockerThatWasThereIsGoneAfterAWhile() async throws {
        #expect(await test.plugin.engineLife() == .lives)
        docker(.absent)
        #expect(await lifeAfter(1, of: test.plugin) == .missing)
        #expect(await lifeAfter(2, of: test.plugin) == .gone)
        docker(.there)
        #expect(await lifeAfter(1, of: test.plugin) == .lives)
    }

    @Test func dockerThatWasNeverThereMayBeElsewhere() async throws {
        docker(.absent)
        for _ in 1...5 { #expect(await lifeAfter(1, of: test.plugin) == .lives) }
    }

    /// `ciod` may be killed together with Docker, and come back alone.
    @Test func whereItWasIsRememberedThroughoutTheBoot() async throws {
        _ = await test.plugin.engineLife()
        docker(.absent)
        let again = test.restarted()
        #expect(await lifeAfter(1, of: again) == .missing)
        #expect(await lifeAfter(2, of: again) == .gone)
        docker(.absent, at: "/elsewhere")
        let moved = test.restarted()
        _ = await lifeAfter(1, of: moved)
        #expect(await lifeAfter(2, of: moved) == .lives)
    }

    @Test func controlCanAsk() async throws {
        let watching = Task { [plugin = test.plugin] in await plugin.watchEngine() }
        defer { watching.cancel() }
        while test.volumes.state.withLock({ $0.question == nil }) { await Task.yield() }
        let question = try #require(test.volumes.state.withLock { $0.question })
        #expect(await question() == .lives)
        docker(.absent)
        #expect(await question() == .missing)
    }
}
