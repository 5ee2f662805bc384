import Records
import Scheduling
import Units

/// The metadata service: one copy of the truth, reached with delays, and sometimes not.
final class SimulatedStore {
    var configuration: VolumeConfiguration
    /// What operators and the scheduler want of the volume.
    var wanted: WantedVolume
    var nodes: [NodeRecord]
    /// Until when each node counts as alive.
    var aliveUntil: [UInt64]
    /// The node with a claim to a session: it stands while that node lives.
    var status: NodeID?
    var tombstones: [Tombstone] = []
    /// Nobody is to own the volume any more, nor to schedule.
    var isOver = false

    init(configuration: VolumeConfiguration, wanted: WantedVolume, nodes: [NodeRecord]) {
        aliveUntil = Array(repeating: 3_000_000_000, count: nodes.count)
        self.configuration = configuration
        self.wanted = wanted
        self.nodes = nodes
    }

    /// Compare-and-swap on the epoch.
    func change(_ change: ConfigurationChange) -> ChangeAnswer {
        guard configuration.epoch + 1 == change.proposed.epoch else { return .conflict(configuration) }
        configuration = change.proposed
        tombstones += change.dropped.map {
            Tombstone(volume: change.proposed.volume, replica: $0.id, node: $0.node, drive: $0.drive)
        }
        return .recorded
    }

    /// A scheduler's change, if the records that it was planned from are still the same.
    func apply(_ change: SchedulerChange, plannedFrom seen: StoreSnapshot) -> Bool {
        switch change {
        case .setRole(let id, let role):
            guard let index = nodes.firstIndex(where: { $0.id == id }),
                nodes[index] == seen.nodes[index]
            else { return false }
            nodes[index].role = role
        case .setPlacement, .park, .setRebuildTo:
            guard wanted == seen.wanted, configuration == seen.configuration else { return false }
            wanted = wanted.applying(change)
        case .removeRecords: return false
        }
        return true
    }
}

/// What a node has read of the metadata service: never quite the present.
struct StoreSnapshot {
    let configuration: VolumeConfiguration
    let wanted: WantedVolume
    let nodes: [NodeRecord]
    let isAlive: [Bool]
    let status: NodeID?
    let tombstones: [Tombstone]
    let isOver: Bool

    /// In ascending order.
    var aliveNodes: [NodeID] { zip(nodes, isAlive).filter(\.1).map(\.0.id) }

    func isAlive(_ id: NodeID) -> Bool {
        nodes.firstIndex { $0.id == id }.map { isAlive[$0] } ?? false
    }

    /// Whose turn it is to lead: a voter, or whoever joined first where no voter lives.
    var leader: NodeID? {
        let alive = zip(nodes, isAlive).filter(\.1).map(\.0)
        for role in [NodeRecord.Role.sds, .backup1, .backup2] {
            if let node = alive.first(where: { $0.role == role }) { return node.id }
        }
        return alive.first?.id
    }
}

extension SimulatedStore {
    func snapshot(now: UInt64) -> StoreSnapshot {
        StoreSnapshot(
            configuration: configuration, wanted: wanted, nodes: nodes,
            isAlive: aliveUntil.map { $0 > now }, status: status, tombstones: tombstones,
            isOver: isOver)
    }
}
