import Records
import Replication
import Units

/// One step of a node's control loop, from what it has read of the metadata service.
struct NodeControl {
    let process: SimulatedProcess

    private var world: World { process.world }
    private var node: SimulatedNode { process.node }

    func step(_ seen: StoreSnapshot) {
        // At the end of the story nobody is to own the volume.
        if isLeader(seen) && seen.wantedOwner != .zero { schedule(seen) }
        keepReplicas(seen)
        keepOwnership(seen)
        stepOfRebuild(seen)
    }

    private func isLeader(_ seen: StoreSnapshot) -> Bool {
        seen.isAlive.firstIndex(of: true) == node.index
    }

    // MARK: The scheduler

    private func schedule(_ seen: StoreSnapshot) {
        let store = world.store
        if !seen.isAlive[world.node(seen.wantedOwner).index] {
            let holders = seen.configuration.inSync.filter { seen.isAlive[world.node($0.node).index] }
            if let heir = holders.first, store.wantedOwner == seen.wantedOwner {
                world.note("parked at node \(short(heir.node))")
                store.wantedOwner = heir.node
            }
        }
        guard store.placement == seen.placement else { return }
        for (position, place) in seen.placement.enumerated()
        where seen.silentFor[world.node(place).index] > 5_000_000_000 {
            let spare = world.nodes.first { !seen.placement.contains($0.id) && seen.isAlive[$0.index] }
            if let spare {
                world.note("placement: node \(short(spare.id)) instead of \(short(place))")
                store.placement[position] = spare.id
                return
            }
        }
        let owner = seen.wantedOwner
        if !seen.placement.contains(owner), seen.isAlive[world.node(owner).index],
            let remote = seen.placement.firstIndex(where: { $0 != owner }), world.random.chance(20)
        {
            world.note("placement: local copy on node \(short(owner))")
            store.placement[remote] = owner
        }
    }

    // MARK: Replicas on this node

    private func keepReplicas(_ seen: StoreSnapshot) {
        for record in seen.configuration.replicas where record.node == node.id {
            if node.files(record.id) == nil && record.state == .stale { node.create(record.id) }
            if process.host(record.id) == nil && node.files(record.id) != nil { process.open(record.id) }
        }
        for stone in seen.tombstones where stone.node == node.id {
            if let host = process.host(stone.replica), host.machine.isBusy { continue }
            world.note("node \(short(node.id)) deletes replica \(short(stone.replica))")
            process.close(stone.replica)
            node.drive.removeAll { $0.id == stone.replica }
            world.store.tombstones.removeAll { $0 == stone }
        }
    }

    // MARK: The owner's session

    private func keepOwnership(_ seen: StoreSnapshot) {
        let isWanted = seen.wantedOwner == node.id
        if let owner = process.owner {
            owner.command { machine, now in machine.saw(seen.configuration, now: now) }
            if !isWanted && owner.machine.isServing { owner.command { machine, now in machine.close(now: now) } }
            return
        }
        // The record names a session of this node that is no more: one that ends it takes its place.
        let last = seen.configuration
        let isLeftBehind = last.owner?.node == node.id && !last.released
        guard isWanted || isLeftBehind, mayClaim(seen) else { return }
        let owner = OwnerHost(recorded: seen.configuration, process: process)
        process.owner = owner
        owner.begin()
    }

    /// The last owner has ended its session, is this node, or counts as dead.
    private func mayClaim(_ seen: StoreSnapshot) -> Bool {
        guard let last = seen.configuration.owner, !seen.configuration.released else { return true }
        return last.node == node.id || !seen.isAlive[world.node(last.node).index]
            || world.random.chance(world.faultsAllowed ? 2 : 0)
    }

    // MARK: Rebuilds

    private func stepOfRebuild(_ seen: StoreSnapshot) {
        guard let owner = process.owner, owner.machine.isServing,
            owner.machine.recorded.epoch == seen.configuration.epoch
        else { return }
        let records = seen.configuration.replicas
        if owner.machine.rebuildStatus == nil {
            for place in seen.placement where seen.isAlive[world.node(place).index] {
                guard let record = records.first(where: { $0.node == place }) else {
                    let added = ReplicaRecord(
                        id: Identifier.random(using: &world.random), node: place,
                        drive: DriveID(high: place.high, low: 5), state: .stale)
                    owner.command { machine, now in _ = machine.add(added, now: now) }
                    return
                }
                if record.state == .stale {
                    owner.command { machine, now in _ = machine.startRebuild(of: record.id, now: now) }
                    return
                }
            }
        }
        for record in records where !seen.placement.contains(record.node) {
            let others = records.filter { $0.state == .inSync && $0.id != record.id }
            let isEarly = world.settings.planted.contains(.freeTooEarly)
            if others.count >= seen.copies || isEarly {
                owner.command { machine, now in
                    _ = machine.free(record.id, copiesWanted: seen.copies, now: now)
                }
                return
            }
        }
    }
}
