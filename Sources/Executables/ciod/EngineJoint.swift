import Control
import Engine
import EngineCommands
import Logging
import Synchronization

/// Joins control and the engine: commands go to it in order, reports come from it in order.
final class EngineJoint: EnginePort {
    let reports: AsyncStream<EngineReport>
    private let continuation: AsyncStream<EngineReport>.Continuation
    private let state = Mutex(State())

    private struct State {
        var engine: Engine?
        /// Commands that the engine had no room for.
        var waiting: [EngineCommand] = []
        var isRetrying = false
    }

    private static let retry = Duration.milliseconds(2)

    init() {
        (reports, continuation) = AsyncStream.makeStream()
    }

    /// Starts the engine; its reports come from now on.
    func start(_ configuration: EngineConfiguration, logger: Logger) throws {
        let continuation = continuation
        let engine = try Engine(
            configuration, report: { continuation.yield($0) },
            log: { line in logger.info("engine: \(line)") })
        state.withLock { $0.engine = engine }
    }

    var kind: String {
        state.withLock { $0.engine?.kind == .aio ? "libaio" : "io_uring" }
    }

    var missing: [String] {
        state.withLock { $0.engine?.missing.map(\.description) ?? [] }
    }

    func send(_ command: EngineCommand) {
        let mustRetry = state.withLock { state in
            if state.waiting.isEmpty, state.engine?.post(command) ?? true { return false }
            state.waiting.append(command)
            defer { state.isRetrying = true }
            return !state.isRetrying
        }
        if mustRetry { Task { await retryWaiting() } }
    }

    private func retryWaiting() async {
        while !sendWaiting() { try? await Task.sleep(for: Self.retry) }
    }

    /// Whether nothing waits any more.
    private func sendWaiting() -> Bool {
        state.withLock { state in
            while let next = state.waiting.first {
                guard state.engine?.post(next) ?? true else { return false }
                state.waiting.removeFirst()
            }
            state.isRetrying = false
            return true
        }
    }

    func stop() async {
        guard let engine = state.withLock({ $0.engine }) else { return }
        await Blocking.run { engine.stop() }
    }
}
