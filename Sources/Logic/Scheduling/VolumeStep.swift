import Records
import Units

/// What the owner of a volume does next towards the copies that are wanted.
public enum VolumeStep: Equatable, Sendable {
    case nothing
    /// Record an empty replica, the first step of a rebuild onto a new place.
    case add(ReplicaRecord)
    case rebuild(ReplicaID)
    /// Drop a copy that is not needed; `copiesWanted` have to be in sync without it.
    case free(ReplicaID, copiesWanted: Int)
}

/// One step at a time, asked for again whenever anything has changed; it may be refused by the
/// owner's machine and is then asked for again.
///
/// A copy is never freed before its replacement is in sync, and never below the wanted number. A
/// stale copy that is back counts while copies are missing, wanted at its place or not: whichever
/// is whole first wins.
///
/// - Parameters:
///   - aliveNodes: in ascending order.
///   - newReplicaID: used if the step is to add one.
///   - recentlyFailed: replicas whose last rebuild failed; others go first.
public func volumeStep(
    config: VolumeConfiguration, wanted: WantedVolume, aliveNodes: [NodeID],
    rebuildInProgress: ReplicaID?, newReplicaID: ReplicaID, recentlyFailed: [ReplicaID] = []
) -> VolumeStep {
    if wanted.isDeleting { return .nothing }
    let state = CopyState(config, wanted, aliveNodes)
    if let place = state.missingPlace, config.replicas.count < SchedulingLimits.replicasMax {
        return .add(
            ReplicaRecord(
                id: newReplicaID, node: place.node, drive: place.drive, state: .stale))
    }
    if rebuildInProgress == nil, let replica = state.rebuildable(last: recentlyFailed) {
        return .rebuild(replica)
    }
    if let replica = state.surplus(except: rebuildInProgress) {
        return .free(replica, copiesWanted: wanted.copies)
    }
    return .nothing
}

/// The copies of a volume against those that are wanted.
private struct CopyState {
    let replicas: [ReplicaRecord]
    let placement: [Place]
    let copies: Int
    let aliveNodes: [NodeID]

    init(_ config: VolumeConfiguration, _ wanted: WantedVolume, _ aliveNodes: [NodeID]) {
        replicas = config.replicas
        placement = wanted.placement
        copies = wanted.copies
        self.aliveNodes = aliveNodes
    }

    /// A place whose node lives and where no replica is recorded yet.
    var missingPlace: Place? {
        placement.first { place in
            isAlive(place.node) && !replicas.contains { $0.place == place }
        }
    }

    func rebuildable(last failed: [ReplicaID]) -> ReplicaID? {
        let isShort = liveInSync(without: nil) < copies
        var best: (id: ReplicaID, rank: Int)?
        for replica in replicas where replica.state == .stale && isAlive(replica.node) {
            guard isShort || placement.contains(replica.place) else { continue }
            // Earlier records first: they may need a delta only, a new one needs everything.
            let rank = (failed.contains(replica.id) ? 2 : 0) + (replica.isVoid ? 1 : 0)
            if best == nil || rank < best!.rank { best = (replica.id, rank) }
        }
        return best?.id
    }

    /// A replica outside the placement that nothing needs any more, stale ones first.
    func surplus(except busy: ReplicaID?) -> ReplicaID? {
        for place in placement where isAlive(place.node) {
            guard replicas.contains(where: { $0.place == place && $0.state == .inSync }) else {
                return nil
            }
        }
        let candidates = replicas.filter { $0.id != busy && !placement.contains($0.place) }
        let ordered =
            candidates.filter { $0.state == .stale } + candidates.filter { $0.state == .inSync }
        return ordered.first { liveInSync(without: $0.id) >= max(1, copies) }?.id
    }

    /// On so many different live nodes lies a copy in sync.
    private func liveInSync(without left: ReplicaID?) -> Int {
        var nodes: [NodeID] = []
        for replica in replicas where replica.state == .inSync && replica.id != left {
            if isAlive(replica.node) && !nodes.contains(replica.node) { nodes.append(replica.node) }
        }
        return nodes.count
    }

    private func isAlive(_ node: NodeID) -> Bool {
        var (low, high) = (0, aliveNodes.count)
        while low < high {
            let middle = (low + high) / 2
            if aliveNodes[middle] < node { low = middle + 1 } else { high = middle }
        }
        return low < aliveNodes.count && aliveNodes[low] == node
    }
}
