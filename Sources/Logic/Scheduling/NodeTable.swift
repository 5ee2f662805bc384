import Records
import Units

/// Whether a copy that lies there counts on.
enum PlaceState: Equatable {
    /// Its node lives and its drive is sound.
    case present
    /// Its node has been silent for less than the rebuild delay: it is waited for.
    case away
    /// Silent for longer, or the drive or the node is no longer there.
    case lost
}

/// The nodes by id.
struct NodeTable {
    let nodes: [NodeView]
    private let positions: [NodeID: Int]
    private let rebuildDelay: Span

    init(_ nodes: [NodeView], rebuildDelay: Span) {
        self.nodes = nodes
        self.rebuildDelay = rebuildDelay
        var positions: [NodeID: Int] = [:]
        positions.reserveCapacity(nodes.count)
        for (position, node) in nodes.enumerated() { positions[node.record.id] = position }
        self.positions = positions
    }

    func position(_ id: NodeID) -> Int? { positions[id] }

    func isAlive(_ id: NodeID) -> Bool {
        position(id).map { nodes[$0].isAlive } ?? false
    }

    func state(of place: Place) -> PlaceState {
        guard let position = position(place.node) else { return .lost }
        let node = nodes[position]
        guard node.record.drives.contains(where: { $0.id == place.drive && $0.status == .normal })
        else { return .lost }
        if node.isAlive { return .present }
        return node.silentFor < rebuildDelay ? .away : .lost
    }

    /// Whether a rebuild of the volume has something to read from.
    func hasSource(_ configuration: VolumeConfiguration) -> Bool {
        configuration.replicas.contains {
            $0.state == .inSync && state(of: $0.place) == .present
        }
    }
}
