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
    /// The id that the next event gets; changed together with putting it.
    public static let nextEvent = "cio/next-event"
    /// The 8 hex digits by which a volume is known, each taken by one volume only.
    public static let shortIDs = "cio/volumes/short/"
    /// What each node last said of the copies on its drives.
    public static let copies = "cio/volumes/copies/"
    /// Nodes that the lead has found silent.
    public static let lost = "cio/lost/"
    /// Volumes that wait without an owner.
    public static let waits = "cio/volumes/waits/"

    public static let profiles = "cio/profiles/"

    public static func profile(_ name: String) -> String { profiles + name }
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
    /// 20 digits, so that keys are in the order of ids.
    public static func event(_ id: UInt64) -> String {
        let digits = String(id)
        return events + String(repeating: "0", count: 20 - digits.count) + digits
    }
    public static func shortID(_ id: VolumeID) -> String { shortIDs + id.short }
    public static func copies(of volume: VolumeID) -> String { copies + volume.text + "/" }
    public static func copy(_ volume: VolumeID, _ replica: ReplicaID) -> String {
        copies(of: volume) + replica.text
    }
    public static func lost(_ id: NodeID) -> String { lost + id.text }
    public static func wait(_ id: VolumeID) -> String { waits + id.text }
}
