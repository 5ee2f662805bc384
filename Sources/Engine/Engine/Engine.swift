import EngineCommands
import Glibc
import Ring
import Synchronization
import Units

/// The engine of one node: moves bytes as logic decides, between clients, drives and other nodes.
///
/// Commands go in with `post`; reports come out through a function that is called on engine
/// threads and must return at once.
public final class Engine: Sendable {
    /// Which of the two engines it is.
    public let kind: EngineKind
    /// What the machine lacks, and what that costs.
    public let missing: [EngineFeatures.Missing]
    /// Where other nodes connect to.
    public let port: UInt16
    /// Where NBD clients of the network connect; 0 where they do not.
    public let nbdPort: UInt16

    private let shared: EngineShared
    private let threads: Mutex<[EngineThread]>
    private let isStopping = Atomic<Bool>(false)

    /// Starts the threads and listens.
    /// - Parameters:
    ///   - report: called on engine threads; must neither block nor call the engine's `stop`.
    ///   - log: one line for a person, likewise.
    public init(
        _ configuration: EngineConfiguration,
        report: @escaping @Sendable (EngineReport) -> Void,
        log: @escaping @Sendable (String) -> Void = { _ in }
    ) throws(EngineError) {
        require(configuration.threads > 0, "an engine of \(configuration.threads) threads")
        let features = EngineFeatures.probe()
        missing = features.missing
        let listeners = try Listeners(configuration)
        port = listeners.port(.data)
        nbdPort = listeners.port(.nbdNetwork)
        do throws(RingError) {
            let plan = try features.plan(for: configuration.kind)
            kind = plan.kind
            shared = try EngineShared(configuration: configuration, report: report, log: log)
            threads = Mutex([])
            try start(plan, listeners)
        } catch {
            listeners.close()
            throw .ring(error)
        }
    }

    private func start(_ plan: EnginePlan, _ listeners: Listeners) throws(RingError) {
        let shared = shared
        let opener = try EngineThread(name: "cio-opener") {
            shared.opener.run { job, opening in
                shared.send(
                    .replicaOpened(number: job.number, generation: job.generation, opening),
                    to: job.loop)
            }
        }
        let left = LoopsLeft(shared.configuration.threads)
        var started = [opener]
        for number in shared.mailboxes.indices {
            let isFirst = number == 0
            started.append(
                try EngineThread(name: "cio-engine-\(number)") {
                    Engine.run(
                        number, plan, shared, isFirst ? listeners : .none)
                    if left.oneEnded() {
                        shared.opener.stop()
                        listeners.close()
                        shared.report(.stopped)
                    }
                })
        }
        let all = started
        threads.withLock { $0 = all }
    }

    private static func run(
        _ number: Int, _ plan: EnginePlan, _ shared: EngineShared, _ listeners: Listeners
    ) {
        do throws(RingError) {
            var loop = try Loop(
                number: number, plan: plan, shared: shared, listeners: listeners)
            loop.run()
        } catch {
            // Probed a moment ago: the machine is out of memory or descriptors.
            trap("engine thread \(number): \(error)")
        }
    }

    /// Queues a command. False when the engine is overloaded or has stopped: ask again later.
    @discardableResult
    public func post(_ command: EngineCommand) -> Bool {
        switch command.destination {
        case .all:
            return shared.mailboxes.indices.reduce(true) {
                shared.send(.command(command), to: $1) && $0
            }
        case .volume(let volume): return shared.send(.command(command), to: shared.loop(of: volume))
        case .loop(let number):
            return number < shared.mailboxes.count && shared.send(.command(command), to: number)
        }
    }

    /// The volume's counters since the engine's start; nil if it was never open here.
    public func counters(of volume: VolumeID) -> VolumeCounters? { shared.counters.read(volume) }

    /// Ends everything cleanly and waits for it: sessions are closed while their replicas and the
    /// metadata service answer, and as in a crash after 10 s. Not from an engine thread.
    public func stop() {
        if !isStopping.exchange(true, ordering: .acquiringAndReleasing) {
            while !post(.stop) { usleep(1000) }
        }
        let all = threads.withLock { $0 }
        for thread in all { thread.join() }
    }

    /// Ends at once, as a crash would: sessions stay open, nothing is told to anyone. For tests.
    func kill() {
        if !isStopping.exchange(true, ordering: .acquiringAndReleasing) {
            for mailbox in shared.mailboxes { while !mailbox.send(.die) { usleep(1000) } }
        }
        let all = threads.withLock { $0 }
        for thread in all { thread.join() }
    }
}

/// Why an engine could not be started.
public enum EngineError: Error, CustomStringConvertible {
    case ring(RingError)
    /// What was to be listened on, and why not.
    case listening(String, errno: Int32)

    public var description: String {
        switch self {
        case .ring(let error): "\(error)"
        case .listening(let place, let code): "listening on \(place): \(errnoText(code))"
        }
    }
}

private final class LoopsLeft: Sendable {
    private let count: Atomic<Int>

    init(_ count: Int) { self.count = Atomic(count) }

    /// Whether it was the last one.
    func oneEnded() -> Bool { count.subtract(1, ordering: .acquiringAndReleasing).newValue == 0 }
}

extension EngineCommand {
    enum Destination {
        case all
        case volume(VolumeID)
        case loop(Int)
    }

    /// The loops that a command is for.
    var destination: Destination {
        switch self {
        case .nodeAddress, .exportNames, .stop: .all
        case .registerReplica(let replica): .volume(replica.volume)
        case .unregisterReplica(let volume, _), .closeOwner(let volume, _),
            .configurationAnswered(let volume, _, _), .addReplica(let volume, _),
            .rebuild(let volume, _), .freeReplica(let volume, _, _), .serveFUSE(let volume, _, _),
            .stopFUSE(let volume), .limit(let volume, _):
            .volume(volume)
        case .openOwner(let configuration, _, _): .volume(configuration.volume)
        case .recordSeen(let record, _): .volume(record.volume)
        case .exportAnswered(let token, _): .loop(Int(token >> 48))
        }
    }
}
