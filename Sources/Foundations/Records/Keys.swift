import Units

/// Where each record stands in the metadata service. Ids in full.
public enum Keys {
    public static let cluster = "cio/cluster"
    public static let nodes = "cio/nodes/"
    public static let liveness = "cio/alive/"
    public static let lead = "cio/lead"
    public static let wanted = "cio/volumes/wanted/"
    public static let configurations = "cio/volumes/configuration/"
    public static let status = "cio/volumes/status/"
    /// A volume's name and its vd number, each taken by one volume only.
    public static let names = "cio/volumes/names/"
    public static let vdisks = "cio/volumes/vdisks/"
    public static let tombstones = "cio/tombstones/"
    /// Replicas of volumes with epoch 0 that exist on their drives.
    public static let created = "cio/created/"
    public static let events = "cio/events/"

    public static func node(_ id: NodeID) -> String { nodes + id.text }
    public static func liveness(_ id: NodeID) -> String { liveness + id.text }
    public static func wanted(_ id: VolumeID) -> String { wanted + id.text }
    public static func configuration(_ id: VolumeID) -> String { configurations + id.text }
    public static func status(_ id: VolumeID) -> String { status + id.text }
    public static func name(_ name: String) -> String { names + name }
    public static func vdisk(_ number: Int) -> String { vdisks + String(number) }
    /// By node first: each node watches its own.
    public static func tombstones(of node: NodeID) -> String { tombstones + node.text + "/" }
    public static func tombstone(_ stone: Tombstone) -> String {
        tombstones(of: stone.node) + stone.replica.text
    }
    public static func created(_ volume: VolumeID, _ replica: ReplicaID) -> String {
        created + volume.text + "/" + replica.text
    }
}
