import Records
import Units

/// Gives every volume an owner that has none that lives: an owner keeps copies equal, rebuilds
/// them and answers for them, whether or not anyone uses the volume.
struct ParkingPlanner {
    let table: NodeTable
    /// Volumes that each node owns or is about to own.
    private var owned: [Int]

    init(_ table: NodeTable, _ volumes: [VolumeView]) {
        self.table = table
        owned = Array(repeating: 0, count: table.nodes.count)
        for volume in volumes where !volume.wanted.isDeleting {
            if let owner = volume.wanted.wantedOwner, let position = table.position(owner) {
                owned[position] += 1
            }
        }
    }

    mutating func plan(_ volume: VolumeView) -> SchedulerChange? {
        let wanted = volume.wanted
        if let owner = wanted.wantedOwner, table.isAlive(owner) { return nil }
        guard let node = choose(among: volume.configuration.replicas) else { return nil }
        owned[node] += 1
        return .park(
            wanted.id, at: table.nodes[node].record.id,
            wanted.wantedOwner.map { .failover(from: $0) } ?? .unowned)
    }

    /// The node with a copy in sync that owns the fewest; a cordoned one only if it is the last.
    private func choose(among replicas: [ReplicaRecord]) -> Int? {
        var best: (position: Int, isReluctant: Bool)?
        for replica in replicas
        where replica.state == .inSync && table.state(of: replica.place) == .present {
            guard let position = table.position(replica.node) else { continue }
            let isReluctant = table.nodes[position].record.duty != .normal
            guard let present = best else {
                best = (position, isReluctant)
                continue
            }
            let isBetter =
                isReluctant != present.isReluctant
                ? present.isReluctant
                : (owned[position], position) < (owned[present.position], present.position)
            if isBetter { best = (position, isReluctant) }
        }
        return best?.position
    }
}
