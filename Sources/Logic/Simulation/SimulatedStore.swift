import Records
import Units

/// The metadata service: one copy of the truth, reached with delays, and sometimes not.
final class SimulatedStore {
    var configuration: VolumeConfiguration
    /// Which node should own the volume; changed by operators and by the scheduler.
    var wantedOwner: NodeID
    var placement: [NodeID]
    var copies: Int
    /// Until when each node counts as alive.
    var aliveUntil: [UInt64]
    var tombstones: [Tombstone] = []

    init(configuration: VolumeConfiguration, wantedOwner: NodeID, placement: [NodeID], copies: Int, nodes: Int) {
        aliveUntil = Array(repeating: 3_000_000_000, count: nodes)
        self.configuration = configuration
        self.wantedOwner = wantedOwner
        self.placement = placement
        self.copies = copies
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
}

/// What a node has read of the metadata service: never quite the present.
struct StoreSnapshot {
    let configuration: VolumeConfiguration
    let wantedOwner: NodeID
    let placement: [NodeID]
    let copies: Int
    let isAlive: [Bool]
    let silentFor: [UInt64]
    let tombstones: [Tombstone]
}

extension SimulatedStore {
    func snapshot(now: UInt64) -> StoreSnapshot {
        StoreSnapshot(
            configuration: configuration, wantedOwner: wantedOwner, placement: placement,
            copies: copies, isAlive: aliveUntil.map { $0 > now },
            silentFor: aliveUntil.map { $0 > now ? 0 : now - $0 }, tombstones: tombstones)
    }
}
