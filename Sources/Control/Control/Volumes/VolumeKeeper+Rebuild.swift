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
    /// How often in a row.
    var failures: [ReplicaID: Int] = [:]
    /// Failures make pauses, each longer than the one before.
    var pausedUntil: ContinuousClock.Instant?
    /// When replicas were added, that have yet to be made on their drives.
    var addedAt: [ReplicaID: ContinuousClock.Instant] = [:]
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

    /// How often in a row it has failed by now.
    mutating func failed(_ replica: ReplicaID, retry: Duration) -> Int {
        left(replica)
        failed = failed.filter { $0 != replica } + [replica]
        let count = failures[replica, default: 0] + 1
        failures[replica] = count
        pausedUntil = .now + min(retry * (1 << min(count - 1, 10)), Self.pauseMax)
        return count
    }

    mutating func succeeded(_ replica: ReplicaID) {
        left(replica)
        failed.removeAll { $0 == replica }
        failures[replica] = nil
        pausedUntil = nil
    }

    private static let pauseMax = Duration.seconds(30)
    /// A failure may be the last gasp of a node that is gone: told when it is the third in a row.
    static let failuresTold = 3
    /// A new copy is waited for this long; its node says when it is there.
    static let makingMax = Duration.seconds(5)
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
        if case .rebuild(let replica) = step, !mayRebuild(replica, in: view) { return }
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

    /// Not during a pause, and not while the copy's node has still to make it.
    private func mayRebuild(_ replica: ReplicaID, in view: RecordsView) -> Bool {
        let now = ContinuousClock.now
        if let until = rebuild.pausedUntil, now < until {
            bell.ring(after: until - now)
            return false
        }
        guard let added = rebuild.addedAt[replica] else { return true }
        if view.copies[replica] != nil || now >= added + RebuildState.makingMax {
            rebuild.addedAt[replica] = nil
            return true
        }
        bell.ring(after: context.settings.times.retry)
        return false
    }

    func node(of replica: ReplicaID) -> String {
        places[replica].map { context.view.name(of: $0) } ?? replica.short
    }

    func isLocal(_ replica: ReplicaID) -> Bool { places[replica] == context.node }

    func added(_ replica: ReplicaID) async {
        rebuild.addedAt[replica] = .now
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
        // Told once, however often it has to begin again.
        guard rebuild.failures[replica] == nil else { return }
        await context.event(.rebuilding, "\(name) rebuilding on node \(context.node.short)")
    }

    func rebuildFailed(_ replica: ReplicaID) async {
        let count = rebuild.failed(replica, retry: context.settings.times.retry)
        guard count == RebuildState.failuresTold else { return }
        await context.event(
            .rebuildFailed, "\(name) rebuild of the copy on node \(node(of: replica)) has"
                + " failed \(count) times; it is tried again")
    }

    func joined(_ replica: ReplicaID) async {
        rebuild.succeeded(replica)
        await context.event(
            .replicaJoined, "\(name): copy on node \(node(of: replica)) joined the copies in"
                + " sync, epoch \(epoch)")
        let kind = isLocal(replica) ? "locality" : "volume"
        await context.event(.rebuildCompleted, "\(name) \(kind) rebuild completed, ret:0")
    }
}
