import Records
import Units

/// Where the copies of a new volume go: on different nodes that are alive and normal, one at the
/// owner's when that can take it, the others where volumes have asked for the smallest share.
///
/// - Parameters:
///   - nodes: by number.
///   - provisioned: what the present volumes may grow to; a thick volume needs its size beside it.
/// - Returns: the owner's place first, then the better places first.
public func place(
    copies: Int, size: ByteCount, type: WantedVolume.DriveType, ownerNode: NodeID?,
    nodes: [NodeView], provisioned: Provisioning, provision: WantedVolume.Provision = .thin
) -> Result<[Place], PlacementError> {
    guard (1...SchedulingLimits.copiesMax).contains(copies) else {
        return .failure(.badCopies(copies))
    }
    let demand = CopyDemand(size: size, type: type, provision: provision)
    var able: [(place: Place, isOwners: Bool, rank: RoomRank)] = []
    var refusals: [PlacementError.NodeRefusal] = []
    for node in nodes {
        switch node.room(for: demand, provisioned) {
        case .success(let room):
            let place = Place(node: node.record.id, drive: room.drive)
            able.append((place, node.record.id == ownerNode, room.rank))
        case .failure(let reason): refusals.append(node.refusal(reason))
        }
    }
    guard able.count >= copies else {
        return .failure(.tooFewNodes(copies: copies, able: able.count, refusals: refusals))
    }
    able.sort { $0.isOwners != $1.isOwners ? $0.isOwners : $0.rank < $1.rank }
    return .success(able.prefix(copies).map(\.place))
}

/// The places on the nodes that an operator named, in that order.
public func place(
    copiesOn named: [NodeID], size: ByteCount, type: WantedVolume.DriveType, nodes: [NodeView],
    provisioned: Provisioning, provision: WantedVolume.Provision = .thin
) -> Result<[Place], PlacementError> {
    guard (1...SchedulingLimits.copiesMax).contains(named.count) else {
        return .failure(.badCopies(named.count))
    }
    let demand = CopyDemand(size: size, type: type, provision: provision)
    var places: [Place] = []
    for id in named {
        guard let node = nodes.first(where: { $0.record.id == id }) else {
            return .failure(.unknownNode(id))
        }
        if places.contains(where: { $0.node == id }) {
            return .failure(.repeatedNode(name: node.record.name))
        }
        switch node.room(for: demand, provisioned) {
        case .success(let room): places.append(Place(node: id, drive: room.drive))
        case .failure(let reason): return .failure(.nodeRefuses(node.refusal(reason)))
        }
    }
    return .success(places)
}

extension NodeView {
    fileprivate func refusal(_ reason: PlacementRefusal) -> PlacementError.NodeRefusal {
        PlacementError.NodeRefusal(node: record.id, name: record.name, reason: reason)
    }
}
