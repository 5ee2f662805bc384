import Records
import Replication
import Scheduling
import Units

/// One step of a node's control loop, from what it has read of the metadata service.
struct NodeControl {
    let process: SimulatedProcess

    private var world: World { process.world }
    private var node: SimulatedNode { process.node }

    func step(_ seen: StoreSnapshot) {
        process.leader.step(seen)
        keepReplicas(seen)
        keepOwnership(seen)
        takeRebuildStep(seen)
    }

    // MARK: Replicas on this node

    private func keepReplicas(_ seen: StoreSnapshot) {
        for record in seen.configuration.replicas where record.node == node.id {
            if node.files(record.id) == nil && record.state == .stale { node.create(record.id) }
            if process.host(record.id) == nil && node.files(record.id) != nil { process.open(record.id) }
        }
        for stone in seen.tombstones where stone.node == node.id {
            if let host = process.host(stone.replica), host.machine.isBusy { continue }
            delete(stone, seen)
        }
    }

    private func delete(_ stone: Tombstone, _ seen: StoreSnapshot) {
        world.note("node \(short(node.id)) deletes replica \(short(stone.replica))")
        if world.store.configuration.replicas.contains(where: { $0.id == stone.replica }) {
            world.fail("a replica that the record names is deleted")
        }
        if node.files(stone.replica) != nil { world.counts.deletedReplicas += 1 }
        process.close(stone.replica)
        node.drive.removeAll { $0.id == stone.replica }
        world.store.tombstones.removeAll { $0 == stone }
    }

    // MARK: The owner's session

    private func keepOwnership(_ seen: StoreSnapshot) {
        let isWanted = seen.wanted.wantedOwner == node.id
        if let owner = process.owner {
            owner.command { machine, now in machine.saw(seen.configuration, now: now) }
            if !isWanted && owner.machine.isServing { owner.command { machine, now in machine.close(now: now) } }
            return
        }
        // The record names a session of this node that is no more: one that ends it takes its place.
        let last = seen.configuration
        let isLeftBehind = seen.isOver && last.owner?.node == node.id && !last.released
        guard isWanted || isLeftBehind, mayClaim(seen) else {
            if world.store.status == node.id { world.store.status = nil }
            return
        }
        world.store.status = node.id
        let owner = OwnerHost(recorded: seen.configuration, process: process)
        process.owner = owner
        owner.begin()
    }

    /// The last owner has ended its session, is this node, counts as dead, or lives without a
    /// session that could be handed over.
    private func mayClaim(_ seen: StoreSnapshot) -> Bool {
        let isHeld = seen.status.map { $0 != node.id && seen.isAlive($0) } ?? false
        guard let last = seen.configuration.owner, !seen.configuration.released else { return !isHeld }
        if last.node == node.id || !seen.isAlive(last.node) { return !isHeld }
        // Control keeps this order for peace only: the protocol has to hold without.
        return seen.status != last.node || world.random.chance(world.faultsAllowed ? 2 : 0)
    }

    // MARK: Rebuilds

    private func takeRebuildStep(_ seen: StoreSnapshot) {
        guard let owner = process.owner, owner.machine.isServing,
            owner.machine.recorded.epoch == seen.configuration.epoch
        else { return }
        if world.settings.planted.contains(.freeTooEarly) { freeAny(seen, owner) }
        let step = volumeStep(
            config: seen.configuration, wanted: seen.wanted, aliveNodes: seen.aliveNodes,
            rebuildInProgress: owner.machine.rebuildStatus?.replica,
            newReplicaID: owner.nextReplica, recentlyFailed: owner.failedRebuilds)
        owner.command { machine, now in
            switch step {
            case .nothing: break
            case .add(let record): _ = machine.add(record, now: now)
            case .rebuild(let replica): _ = machine.startRebuild(of: replica, now: now)
            case .free(let replica, let copies):
                _ = machine.free(replica, copiesWanted: copies, now: now)
            }
        }
    }

    /// Of a scheduler that gives copies up too early; the owner's machine has to refuse.
    private func freeAny(_ seen: StoreSnapshot, _ owner: OwnerHost) {
        for record in seen.configuration.replicas
        where !seen.wanted.placement.contains(where: { $0.node == record.node }) {
            owner.command { machine, now in
                _ = machine.free(record.id, copiesWanted: seen.wanted.copies, now: now)
            }
        }
    }
}
