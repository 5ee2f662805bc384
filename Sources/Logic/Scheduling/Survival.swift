import Records
import Units

/// Whether the loss of any one node could be made good in the space that is free now.
public struct SurvivalReport: Equatable, Sendable {
    /// The nodes whose loss could not, by number.
    public var problems: [NodeLoss]

    public var survives: Bool { problems.isEmpty }

    /// What would not be made good if this node were lost. Volumes by name.
    public struct NodeLoss: Equatable, Sendable {
        public var node: NodeID
        public var name: String
        /// Without a live copy in sync anywhere else: they would wait for the node.
        public var lastCopies: [String] = []
        /// No other node may hold their copy: all others hold one, or have no such drive.
        public var withoutNode: [String] = []
        /// The free space of those that may is not enough.
        public var withoutSpace: [String] = []
    }
}

/// The copies of each node are dealt out to the others, the largest first, each to the drive with
/// the most space left: the owners of real volumes may find a better fit, never a worse plan.
///
/// Counted is what a copy takes now, or its whole size where that is not known; copies still to be
/// made are taken off the free space first.
public func survivesLossOfAnyNode(_ view: ClusterView) -> SurvivalReport {
    let table = NodeTable(view.nodes, rebuildDelay: view.settings.rebuildDelay)
    var volumesOf = Array(repeating: [Int](), count: view.nodes.count)
    for (index, volume) in view.volumes.enumerated() where !volume.wanted.isDeleting {
        for place in volume.wanted.placement {
            if let position = table.position(place.node) { volumesOf[position].append(index) }
        }
    }
    let space = FreeSpace(view)
    var problems: [SurvivalReport.NodeLoss] = []
    for (position, node) in view.nodes.enumerated() where node.isAlive {
        let volumes = volumesOf[position].map { view.volumes[$0] }
        if let loss = loss(of: node, volumes, table, space) { problems.append(loss) }
    }
    return SurvivalReport(problems: problems)
}

private func loss(
    of node: NodeView, _ volumes: [VolumeView], _ table: NodeTable, _ free: FreeSpace
) -> SurvivalReport.NodeLoss? {
    let id = node.record.id
    var space = free
    var loss = SurvivalReport.NodeLoss(node: id, name: node.record.name)
    let ordered = volumes.enumerated().sorted {
        ($1.element.copyBytes, $0.offset) < ($0.element.copyBytes, $1.offset)
    }
    for volume in ordered.map(\.element) {
        let wanted = volume.wanted
        let remains = volume.configuration.replicas.contains {
            $0.node != id && $0.state == .inSync && table.state(of: $0.place) == .present
        }
        if !remains {
            loss.lastCopies.append(wanted.name)
            continue
        }
        let holders = wanted.placement.map(\.node)
        switch space.take(volume.copyBytes, wanted.driveType, except: holders) {
        case .taken: break
        case .noNode: loss.withoutNode.append(wanted.name)
        case .noSpace: loss.withoutSpace.append(wanted.name)
        }
    }
    let isHarmless =
        loss.lastCopies.isEmpty && loss.withoutNode.isEmpty && loss.withoutSpace.isEmpty
    return isHarmless ? nil : loss
}

extension VolumeView {
    /// What one more copy of it would take.
    var copyBytes: UInt64 {
        wanted.provision == .thick ? wanted.size.bytes : (allocated ?? wanted.size).bytes
    }
}

extension SurvivalReport.NodeLoss: CustomStringConvertible {
    /// `node v2: no room elsewhere for the copy of portainer`, one clause for each reason.
    public var description: String {
        var clauses: [String] = []
        if !lastCopies.isEmpty { clauses.append("holds the last copy of \(names(lastCopies))") }
        if !withoutNode.isEmpty {
            clauses.append("no other node can take the copy of \(names(withoutNode))")
        }
        if !withoutSpace.isEmpty {
            clauses.append("no space elsewhere for the copy of \(names(withoutSpace))")
        }
        return "node \(name): " + clauses.joined(separator: "; ")
    }

    private func names(_ all: [String]) -> String {
        let shown = all.prefix(3).joined(separator: ", ")
        return all.count > 3 ? "\(shown) and \(all.count - 3) more" : shown
    }
}
