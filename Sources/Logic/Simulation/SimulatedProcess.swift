import Records
import Replication
import Units

/// One run of `ciod` on a node.
final class SimulatedProcess {
    let node: SimulatedNode
    unowned let world: World
    let incarnation: IncarnationID
    private(set) var isAlive = true
    private(set) var replicas: [ReplicaHost] = []
    var owner: OwnerHost?
    let leader: Leader

    init(node: SimulatedNode) {
        self.node = node
        world = node.world
        incarnation = Identifier.random(using: &node.world.random)
        leader = Leader(node: node)
    }

    func begin() {
        for replica in node.drive { open(replica.id) }
        reconcile()
    }

    func open(_ id: ReplicaID) {
        guard let files = node.files(id) else { return }
        replicas.append(ReplicaHost(id: id, files: files, process: self))
    }

    func host(_ id: ReplicaID) -> ReplicaHost? { replicas.first { $0.id == id } }

    func close(_ id: ReplicaID) { replicas.removeAll { $0.id == id } }

    func die() {
        isAlive = false
        owner?.died()
        // Its sockets close with it; after a power loss nobody hears of it.
        let isHeard = node.isPowered
        for link in world.links where link.replicaProcess === self {
            if isHeard { link.toOwner.send { link.session.lost(link) } }
        }
        for link in world.links where link.session.process === self && link.replicaOpen {
            let wait = isHeard ? 1_000_000 : world.random.nanoseconds(2_000_000_000...10_000_000_000)
            world.after(wait) { [world] in
                link.toReplica.send {
                    if link.replicaProcess.isAlive { link.replica?.disconnected(link) }
                    world.forget(link)
                }
            }
        }
        tearDown()
    }

    /// Lets go of what refers back to the process.
    func tearDown() {
        isAlive = false
        owner?.tearDown()
        owner = nil
        replicas = []
    }

    // MARK: Control

    /// Looks at what is wanted and does one step, for ever.
    private func reconcile() {
        guard isAlive else { return }
        checkLinks()
        if !world.network.storeCut[node.index] {
            world.store.aliveUntil[node.index] = world.now + 3_000_000_000
            let seen = world.store.snapshot(now: world.now)
            world.after(500_000...20_000_000) { [self] in
                if isAlive { NodeControl(process: self).step(seen) }
            }
        }
        world.after(200_000_000...700_000_000) { [self] in reconcile() }
    }

    /// The heartbeats: a link that carries nothing for the give-up time is reported down.
    private func checkLinks() {
        guard let owner else { return }
        for link in owner.openLinks {
            let isWhole =
                world.network.isOpen(link.ownerNode, link.replicaNode) && link.replicaProcess.isAlive
            if isWhole {
                link.cutSince = nil
            } else if let since = link.cutSince {
                if world.now - since > world.timing.giveUp.nanoseconds { owner.lost(link) }
            } else {
                link.cutSince = world.now
            }
        }
    }
}
