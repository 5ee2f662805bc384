import Records
import Scheduling
import Units

/// The scheduler of the node whose turn it is to lead: what ships decides, this carries it out.
final class Leader {
    private unowned let world: World
    private let node: SimulatedNode
    /// Since when each node is silent, as this leader noticed it: a new one counts from zero.
    private var silentSince: [UInt64?]
    private var leads = false

    static let settings = SchedulerSettings(rebuildDelay: .seconds(5), roleDelay: .seconds(12))

    init(node: SimulatedNode) {
        self.node = node
        world = node.world
        silentSince = Array(repeating: nil, count: node.world.store.nodes.count)
    }

    func step(_ seen: StoreSnapshot) {
        guard seen.leader == node.id, !seen.isOver else {
            leads = false
            return
        }
        if !leads { silentSince = silentSince.map { _ in nil } }
        leads = true
        for index in silentSince.indices {
            silentSince[index] = seen.isAlive[index] ? nil : silentSince[index] ?? world.now
        }
        for change in plan(view(seen)) {
            // A leader may die half way.
            if world.faultsAllowed && world.random.chance(5) { return }
            guard world.store.apply(change, plannedFrom: seen) else { continue }
            told(change)
        }
    }

    private func told(_ change: SchedulerChange) {
        world.note("node \(short(node.id)) schedules \(change)")
        switch change {
        case .park: world.counts.parkings += 1
        case .setPlacement: world.counts.placements += 1
        case .setRole, .setRebuildTo, .removeRecords: break
        }
        world.sensitive("a plan is carried out")
    }

    private func view(_ seen: StoreSnapshot) -> ClusterView {
        Leader.view(seen, silentFor: silentSince.map { $0.map { world.now - $0 } ?? 0 })
    }

    static func view(_ seen: StoreSnapshot, silentFor: [UInt64]) -> ClusterView {
        let nodes = seen.nodes.indices.map { index in
            NodeView(
                record: seen.nodes[index], isAlive: seen.isAlive[index],
                silentFor: Span(nanoseconds: silentFor[index]))
        }
        let volume = VolumeView(wanted: seen.wanted, configuration: seen.configuration)
        return ClusterView(nodes: nodes, volumes: [volume], settings: settings)
    }
}
