import Metadata
import Synchronization

/// One iterator of a watch: a task that follows etcd from endpoint to endpoint, and what it found.
final class WatchFollower: Sendable {
    private let handoff = BatchHandoff()
    private let session: Session
    private let prefix: String
    private let start: Revision
    private let task = Mutex<Task<Void, Never>?>(nil)

    init(_ session: Session, prefix: String, after start: Revision) {
        self.session = session
        self.prefix = prefix
        self.start = start
    }

    /// Nobody reads any more.
    deinit { task.withLock { $0 }?.cancel() }

    func next() async throws(MetadataError) -> ChangeBatch? {
        task.withLock { task in
            guard task == nil else { return }
            task = Task { [handoff, session, prefix, start] in
                guard session.begin() else { return handoff.finish(.success(())) }
                let stream = WatchStream(session, prefix: prefix, after: start, to: handoff)
                handoff.finish(await Self.follow(stream, session))
                session.end()
            }
        }
        return try await handoff.next()
    }

    /// Until the store is closed, the task is cancelled, or it makes no sense to go on.
    private static func follow(
        _ stream: WatchStream, _ session: Session
    ) async -> Result<Void, MetadataError> {
        var failures = 0
        while !Task.isCancelled, !session.isClosed {
            let index = session.members.current
            let begun = await stream.messages
            switch await run(stream, session, at: index) {
            case .failed(let error): return .failure(error)
            case .broken:
                if session.isClosed || Task.isCancelled { break }
                // Others may have left it already.
                if session.members.current == index { session.members.failed(index) }
            }
            failures = await stream.messages == begun ? failures + 1 : 0
            guard failures >= session.members.endpoints.count else { continue }
            let round = min(failures / session.members.endpoints.count, 4)
            try? await Task.sleep(for: min(EtcdLimits.pause * (1 << round), EtcdLimits.pauseMax))
        }
        return .success(())
    }

    /// One connection, until it breaks, or its endpoint is found to be dead.
    private static func run(
        _ stream: WatchStream, _ session: Session, at index: Int
    ) async -> WatchStream.End {
        let seen = session.members.failures(of: index)
        return await withTaskGroup(of: WatchStream.End.self) { group in
            group.addTask { await stream.read(from: index) }
            group.addTask {
                while session.members.failures(of: index) == seen, !session.isClosed,
                    !Task.isCancelled
                {
                    await session.members.waitForFailure(of: index, past: seen)
                }
                return .broken
            }
            group.addTask {
                await watchOver(stream, session, at: index)
                return .broken
            }
            let first = await group.next() ?? .broken
            group.cancelAll()
            // An error that is told while another reason ends the connection is told all the same.
            for await end in group { if case .failed = end { return end } }
            return first
        }
    }

    /// Returns when the endpoint does not answer. A stream alone would never tell that the machine
    /// behind it is gone.
    private static func watchOver(
        _ stream: WatchStream, _ session: Session, at index: Int
    ) async {
        let options = session.options
        while !Task.isCancelled {
            try? await Task.sleep(for: options.pulse)
            if await stream.isLate(by: options.attemptTimeout * 2) { return }
            // Usually other calls have heard it in the meantime.
            let heard = session.members.lastHeard(index)
            let isQuiet = heard.map { $0.duration(to: .now) >= options.pulse } ?? true
            if isQuiet, await !session.isAlive(index) { return }
        }
    }
}

extension Session {
    /// Whether a member answers by itself.
    func isAlive(_ index: Int) async -> Bool {
        let request = RangeRequest(
            range: KeyRange(prefix: ""), limit: 1, isSerializable: true, isKeysOnly: true)
        guard let call = try? call("pulse", on: "\(members.endpoints[index])", "/v3/kv/range", request)
        else { return false }
        let timeout = options.attemptTimeout
        do throws(AttemptFailure) {
            let result: Result<RangeResponse, GatewayRefusal> = try await attempt(
                call, at: index, timeout: timeout)
            guard case .success = result else { return false }
            return true
        } catch { return false }
    }
}
