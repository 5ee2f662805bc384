import EngineCommands
import Records
import Synchronization
import Units

@testable import Control

/// Stands in for the engine: an owner without data, which takes each step of a session at once.
final class FakeEngine: EnginePort {
    let reports: AsyncStream<EngineReport>
    private let continuation: AsyncStream<EngineReport>.Continuation
    private let state = Mutex(State())
    let kind = "fake"
    let missing: [String] = []

    private struct Session {
        var record: VolumeConfiguration
        var instance: InstanceID
        var change: ConfigurationChange?
        var mustClose = false
    }

    private struct State {
        var node: NodeID = .zero
        var commands: [String] = []
        var sessions: [VolumeID: Session] = [:]
        var replicas: Set<ReplicaID> = []
    }

    init() { (reports, continuation) = AsyncStream.makeStream() }

    func belongs(to node: NodeID) { state.withLock { $0.node = node } }
    var commands: [String] { state.withLock { $0.commands } }
    var registered: Set<ReplicaID> { state.withLock { $0.replicas } }
    func instance(of volume: VolumeID) -> InstanceID? {
        state.withLock { $0.sessions[volume]?.instance }
    }
    func report(_ report: EngineReport) { continuation.yield(report) }

    /// Ends a session from outside, as the engine does when a replica refuses its epoch.
    func end(_ volume: VolumeID, _ end: OwnerEnd) {
        guard let session = state.withLock({ $0.sessions.removeValue(forKey: volume) }) else {
            return
        }
        report(.ownerEnded(volume, instance: session.instance, end))
    }

    func stop() async { state.withLock { $0.commands.append("stop") } }

    func send(_ command: EngineCommand) {
        let reports = state.withLock { state in
            state.commands.append(Self.name(of: command))
            return Self.perform(command, &state)
        }
        for report in reports { continuation.yield(report) }
    }

    private static func name(of command: EngineCommand) -> String {
        let text = "\(command)"
        return String(text.prefix { $0 != "(" })
    }

    private static func perform(_ command: EngineCommand, _ state: inout State) -> [EngineReport] {
        switch command {
        case .registerReplica(let replica):
            state.replicas.insert(replica.replica)
        case .unregisterReplica(let volume, let replica):
            state.replicas.remove(replica)
            return [.replicaClosed(volume, replica)]
        case .openOwner(let record, let instance, _):
            state.sessions[record.volume] = Session(record: record, instance: instance)
            return claim(record, instance, &state)
        case .closeOwner(let volume, _):
            state.sessions[volume]?.mustClose = true
            return close(volume, &state)
        case .configurationAnswered(let volume, let instance, let answer):
            return answered(volume, instance, answer, &state)
        case .addReplica(let volume, let replica):
            return propose(volume, .add(replica.id), &state) { $0.replicas.append(replica) }
        case .rebuild(let volume, let replica):
            // As the engine does: one that runs, or has just ended, is not begun again.
            guard let session = state.sessions[volume], session.change == nil,
                session.record.replicas.contains(where: { $0.id == replica && $0.state != .inSync })
            else { return [] }
            let instance = session.instance
            return [
                .ownerNotice(volume, instance: instance, .rebuildStarted(replica)),
                .ownerNotice(volume, instance: instance, .rebuildProgress(replica, done: 1, of: 2)),
            ] + propose(volume, .promote(replica), &state) { record in
                for index in record.replicas.indices where record.replicas[index].id == replica {
                    record.replicas[index].state = .inSync
                }
            }
        case .freeReplica(let volume, let replica, _):
            return propose(volume, .free(replica), &state) { record in
                record.replicas.removeAll { $0.id == replica }
            }
        case .stopFUSE(let volume): return [.frontEndClosed(volume)]
        default: break
        }
        return []
    }

    private static func claim(
        _ record: VolumeConfiguration, _ instance: InstanceID, _ state: inout State
    ) -> [EngineReport] {
        let node = state.node
        return propose(record.volume, .claim, &state) { record in
            record.owner = OwnerRecord(node: node, instance: instance)
            record.released = false
        }
    }

    private static func close(_ volume: VolumeID, _ state: inout State) -> [EngineReport] {
        propose(volume, .release, &state) { record in record.released = true }
    }

    private static func propose(
        _ volume: VolumeID, _ purpose: ConfigurationChange.Purpose, _ state: inout State,
        _ body: (inout VolumeConfiguration) -> Void
    ) -> [EngineReport] {
        guard var session = state.sessions[volume], session.change == nil else { return [] }
        var next = session.record
        next.epoch += 1
        next.nonce = .random()
        body(&next)
        let dropped = session.record.replicas.filter { old in
            !next.replicas.contains { $0.id == old.id }
        }
        let change = ConfigurationChange(proposed: next, purpose: purpose, dropped: dropped)
        session.change = change
        state.sessions[volume] = session
        return [.changeConfiguration(volume, instance: session.instance, change)]
    }

    private static func answered(
        _ volume: VolumeID, _ instance: InstanceID, _ answer: ChangeAnswer, _ state: inout State
    ) -> [EngineReport] {
        guard var session = state.sessions[volume], session.instance == instance,
            let change = session.change
        else { return [] }
        guard answer == .recorded else {
            state.sessions[volume] = nil
            return [.ownerEnded(volume, instance: instance, .deposed(epoch: change.proposed.epoch))]
        }
        session.record = change.proposed
        session.change = nil
        state.sessions[volume] = session
        let epoch = change.proposed.epoch
        func notice(_ notice: OwnerNotice) -> EngineReport {
            .ownerNotice(volume, instance: instance, notice)
        }
        if session.mustClose, change.purpose != .release { return close(volume, &state) }
        switch change.purpose {
        case .claim: return [notice(.serving(epoch)), notice(.reconciled(regions: 0))]
        case .removeSilent: return change.dropped.map { notice(.replicaLeft($0.id, epoch)) }
        case .promote(let replica): return [notice(.replicaJoined(replica, epoch))]
        case .add(let replica): return [notice(.replicaAdded(replica))]
        case .free(let replica): return [notice(.replicaFreed(replica))]
        case .release:
            state.sessions[volume] = nil
            return [.ownerEnded(volume, instance: instance, .released)]
        }
    }
}
