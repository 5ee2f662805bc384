import Records
import Units

@testable import Scheduling

/// Short ways to say what a test is about: nodes are numbers, v1 is node 1, with one drive each.
func nodeID(_ number: Int) -> NodeID { Identifier(high: 0x10, low: UInt64(number)) }
func driveID(_ number: Int, _ drive: Int = 0) -> DriveID {
    Identifier(high: 0x20 + UInt64(drive), low: UInt64(number))
}
func replicaID(_ number: Int) -> ReplicaID { Identifier(high: 0x30, low: UInt64(number)) }
func volumeID(_ number: Int) -> VolumeID { Identifier(high: 0x40, low: UInt64(number)) }
func at(_ number: Int, drive: Int = 0) -> Place {
    Place(node: nodeID(number), drive: driveID(number, drive))
}

func drive(
    _ number: Int, _ index: Int = 0, type: WantedVolume.DriveType = .ssd, total: UInt64 = 1000,
    free: UInt64? = nil, status: DriveRecord.Status = .normal
) -> DriveRecord {
    DriveRecord(
        id: driveID(number, index), path: "/drive\(index)", type: type,
        total: ByteCount(gigabytes: total), free: ByteCount(gigabytes: free ?? total),
        status: status)
}

/// A node that lives, or one that has been silent for so many seconds.
func node(
    _ number: Int, _ role: NodeRecord.Role = .standard, silentFor seconds: UInt64? = nil,
    duty: NodeRecord.Duty = .normal, drives: [DriveRecord]? = nil
) -> NodeView {
    NodeView(
        record: NodeRecord(
            id: nodeID(number), name: "v\(number)", address: "127.0.0.\(number)", port: 1,
            role: role, duty: duty, drives: drives ?? [drive(number)], number: number),
        isAlive: seconds == nil, silentFor: .seconds(seconds ?? 0))
}

/// v1 to v4 with the roles that they get by number.
func fourNodes(silent: [Int: UInt64] = [:]) -> [NodeView] {
    zip(1...4, [NodeRecord.Role.sds, .backup1, .backup2, .standard]).map {
        node($0, $1, silentFor: silent[$0])
    }
}

/// A copy on v`number`; its id is ten times the volume's number beside the node's.
func copy(
    _ number: Int, _ state: ReplicaRecord.State = .inSync, id: Int? = nil, drive: Int = 0,
    isVoid: Bool = false
) -> ReplicaRecord {
    ReplicaRecord(
        id: replicaID(id ?? number), node: nodeID(number), drive: driveID(number, drive),
        state: state, isVoid: isVoid)
}

/// A volume with copies in sync where they should be, unless told otherwise.
func volume(
    _ number: Int, on nodes: [Int], copies: Int? = nil, has replicas: [ReplicaRecord]? = nil,
    attachedTo: Int? = nil, parkedAt: Int? = nil, rebuildTo: Int? = nil, gigabytes: UInt64 = 10,
    change: (inout WantedVolume) -> Void = { _ in }
) -> VolumeView {
    var wanted = WantedVolume(
        id: volumeID(number), name: "vol\(number)", vdisk: number,
        size: ByteCount(gigabytes: gigabytes), copies: copies ?? nodes.count,
        placement: nodes.map { at($0) }, attachTo: attachedTo.map(nodeID), mount: attachedTo != nil,
        parkedAt: parkedAt.map(nodeID), rebuildTo: rebuildTo.map(nodeID))
    if attachedTo == nil && parkedAt == nil { wanted.parkedAt = nodes.first.map(nodeID) }
    change(&wanted)
    return VolumeView(
        wanted: wanted,
        configuration: VolumeConfiguration(
            volume: wanted.id, epoch: 1, owner: nil, released: false, nonce: .zero,
            replicas: replicas ?? nodes.map { copy($0) }))
}

extension ClusterView {
    /// The view as it is when these changes have been made.
    func applying(_ changes: [SchedulerChange]) -> ClusterView {
        var result = self
        for change in changes {
            if case .setRole(let id, let role) = change {
                for index in result.nodes.indices where result.nodes[index].record.id == id {
                    result.nodes[index].record.role = role
                }
            }
            if case .removeRecords(let id, _) = change {
                result.volumes.removeAll { $0.wanted.id == id }
            }
            for index in result.volumes.indices {
                result.volumes[index].wanted = result.volumes[index].wanted.applying(change)
            }
        }
        return result
    }

    /// Plans, and plans again on the result, which has to be in order then.
    func planned() -> (changes: [SchedulerChange], isStable: Bool) {
        let changes = plan(self)
        return (changes, plan(applying(changes)).isEmpty)
    }
}
