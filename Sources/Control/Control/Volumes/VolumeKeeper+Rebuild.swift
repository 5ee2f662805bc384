import EngineCommands
import Records
import Scheduling
import Units

/// What an owner remembers of rebuilds, in one session.
struct RebuildState {
    struct Running: Equatable {
        var replica: ReplicaID
        var done: UInt64 = 0
        var total: UInt64 = 0
    }

    var running: Running?
    /// Whose last rebuild failed; others go first.
    var failed: [ReplicaID] = []
    /// The id of the next replica to be added; used up when it is recorded.
    var nextReplica = ReplicaID.random()
    /// What was last asked of the engine, and when: it is asked again if nothing comes of it.
    var asked: VolumeStep?
    var askedAt: ContinuousClock.Instant?

    mutating func progress(_ replica: ReplicaID, done: UInt64, of total: UInt64) {
        guard running?.replica == replica else { return }
        running?.done = done
        running?.total = total
    }

    mutating func left(_ replica: ReplicaID) {
        if running?.replica == replica { running = nil }
        asked = nil
    }
}

// Copies that are missing, behind, or too many.
extension VolumeKeeper {
    /// Asks the engine for the next step towards the copies that are wanted.
    func takeRebuildStep(_ wanted: WantedVolume, in view: RecordsView) {
        guard case .serving(let instance) = session,
            let record = view.configurations[volume]?.record,
            record.owner?.instance == instance
        else { return }
        let step = volumeStep(
            config: record, wanted: wanted, aliveNodes: view.alive.keys.sorted(),
            rebuildInProgress: rebuild.running?.replica, newReplicaID: rebuild.nextReplica,
            recentlyFailed: rebuild.failed)
        guard step != .nothing else {
            rebuild.asked = nil
            return
        }
        let retry = context.settings.times.retry
        if step == rebuild.asked, let askedAt = rebuild.askedAt,
            ContinuousClock.now < askedAt + retry
        {
            return
        }
        rebuild.asked = step
        rebuild.askedAt = .now
        bell.ring(after: retry)
        switch step {
        case .nothing: break
        case .add(let replica): context.engine.send(.addReplica(volume, replica))
        case .rebuild(let replica): context.engine.send(.rebuild(volume, replica))
        case .free(let replica, let copies):
            context.engine.send(.freeReplica(volume, replica, copiesWanted: copies))
        }
    }

    func node(of replica: ReplicaID) -> String {
        let view = context.view
        let record = view.configurations[volume]?.record.replicas.first { $0.id == replica }
        return record.map { view.name(of: $0.node) } ?? replica.short
    }

    func isLocal(_ replica: ReplicaID) -> Bool {
        context.view.configurations[volume]?.record.replicas
            .contains { $0.id == replica && $0.node == context.node } ?? false
    }

    func added(_ replica: ReplicaID) async {
        if rebuild.nextReplica == replica { rebuild.nextReplica = .random() }
        await context.event(
            .replicaAdded, "\(name): an empty copy was added on node \(node(of: replica))")
    }

    func freed(_ replica: ReplicaID) async {
        await context.event(
            .replicaFreed, "\(name): copy on node \(node(of: replica)) given back")
    }

    func rebuildStarted(_ replica: ReplicaID) async {
        rebuild.running = RebuildState.Running(replica: replica)
        await context.event(.rebuilding, "\(name) rebuilding on node \(context.node.short)")
    }

    func rebuildFailed(_ replica: ReplicaID) async {
        rebuild.left(replica)
        rebuild.failed = rebuild.failed.filter { $0 != replica } + [replica]
        await context.event(
            .rebuildFailed, "\(name) rebuild of the copy on node \(node(of: replica)) failed;"
                + " it is tried again")
    }

    func joined(_ replica: ReplicaID) async {
        rebuild.left(replica)
        rebuild.failed.removeAll { $0 == replica }
        await context.event(
            .replicaJoined, "\(name): copy on node \(node(of: replica)) joined the copies in"
                + " sync, epoch \(epoch)")
        let kind = isLocal(replica) ? "locality" : "volume"
        await context.event(.rebuildCompleted, "\(name) \(kind) rebuild completed, ret:0")
    }
}
