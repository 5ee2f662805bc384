import Records
import Units

/// One thing that the scheduler wants changed in the metadata service.
///
/// Each is meant against the records that it was planned from: apply it only by a transaction that
/// compares them, and plan again where one has changed meanwhile. An operator's command is then
/// never undone by a plan that had not seen it.
public enum SchedulerChange: Equatable, Sendable {
    /// The role changes of one plan belong into one transaction: a role wanders along the line of
    /// voters, and no two nodes may hold one. A leader that dies half way harms nothing; the next
    /// plan puts the line in order.
    case setRole(NodeID, NodeRecord.Role)
    case setPlacement(VolumeID, [Place])
    /// Names the node that owns the volume while nobody has it attached: sets `parkedAt` and clears
    /// `attachTo` and `mount`. A volume whose node died is detached by this, so that its node does
    /// not take it back by coming back, and whoever needs it attaches it anew.
    case park(VolumeID, at: NodeID, ParkReason)
    /// What the operator asked for is reached, or never can be.
    case setRebuildTo(VolumeID, NodeID?)
    /// The volume is no longer offered anywhere: remove its records, name and number, and write
    /// these tombstones, in one transaction that compares the configuration's epoch.
    case removeRecords(VolumeID, [Tombstone])
}

/// Why a volume gets another owner.
public enum ParkReason: Equatable, Sendable {
    /// Its owner's node is dead: told as event 1019.
    case failover(from: NodeID)
    /// It had no owner yet.
    case unowned

    /// The one that the volume had when this was decided.
    var owner: NodeID? {
        switch self {
        case .failover(from: let node): node
        case .unowned: nil
        }
    }
}

extension WantedVolume {
    /// The record as a change of this volume leaves it; changes of another kind leave it as it is.
    public func applying(_ change: SchedulerChange) -> WantedVolume {
        var result = self
        switch change {
        case .setPlacement(id, let places):
            result.placement = places
        case .park(id, at: let node, let reason):
            // Somebody who brought it to a living node meanwhile has decided already.
            guard wantedOwner == reason.owner else { break }
            result.parkedAt = node
            result.attachTo = nil
            result.mount = false
        case .setRebuildTo(id, let node):
            result.rebuildTo = node
        case .setPlacement, .park, .setRebuildTo, .setRole, .removeRecords:
            break
        }
        return result
    }
}
