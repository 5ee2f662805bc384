/// A volume in listings and as `GET /v1/volumes/{volume}` shows it. Keys are those that users of
/// the interface know.
public struct VolumeView: Codable, Equatable, Sendable {
    /// `vdN`.
    public var vdisk: String
    /// 8 hex digits, as listings show it; all 32 are in `id`.
    public var uuid: String
    public var id: String
    /// The owner's node, or the one that should be; empty while there is none.
    public var node: String
    public var ipaddr: String
    public var nodeid: String
    public var name: String
    /// In GB (2³⁰ bytes).
    public var capacity: UInt64
    /// The number of copies wanted.
    public var redundancy: Int
    /// `ssd`, `hdd`.
    public var driveType: String
    public var localDriveOnly: Bool
    /// `thin`, `thick`.
    public var provisioning: String
    /// Reads and writes a second; nil for none.
    public var minimumIOPS: UInt64?
    public var maximumIOPS: UInt64?
    /// MiB a second; nil for none.
    public var minimumBandwidth: UInt64?
    public var maximumBandwidth: UInt64?
    /// The mount point; nil while it is not mounted.
    public var directory: String?
    public var filesystem: String
    public var labels: [String: String]
    /// Bytes on the drive that holds most of it; nil until a node has reported.
    public var allocated: UInt64?

    public var epoch: UInt64
    /// Whether the device is offered at `node`, and where.
    public var isAttached: Bool
    public var isMounted: Bool
    public var device: String?
    public var autoexpandEnabled = false
    /// Percent of the filesystem in use above which it grows, and by how much; how often at most,
    /// and how often it did.
    public var autoexpandThreshold: UInt64?
    public var autoexpandIncrement: UInt64?
    public var autoexpandLimit: UInt64?
    public var autoexpandCount: UInt64?
    /// Always false: cio does neither yet.
    public var encryption = false
    public var snapshot = false
    public var snapshotInterval: UInt64?
    public var maximumSnapshots: UInt64?

    public var copiesInSync: Int
    /// When all copies and their checksums were last compared, in seconds since 1970.
    public var lastVerified: Double?
    public var copies: [CopyView]
    public var wait: WaitView?
    public var rebuild: RebuildView?

    public init(
        vdisk: String, uuid: String, id: String, node: String, ipaddr: String, nodeid: String,
        name: String, capacity: UInt64, redundancy: Int, driveType: String, localDriveOnly: Bool,
        provisioning: String, minimumIOPS: UInt64? = nil, maximumIOPS: UInt64? = nil,
        minimumBandwidth: UInt64? = nil, maximumBandwidth: UInt64? = nil, directory: String?,
        filesystem: String, labels: [String: String],
        allocated: UInt64?, epoch: UInt64, isAttached: Bool, isMounted: Bool, device: String?,
        copiesInSync: Int, copies: [CopyView], wait: WaitView?, rebuild: RebuildView?
    ) {
        self.vdisk = vdisk
        self.uuid = uuid
        self.id = id
        self.node = node
        self.ipaddr = ipaddr
        self.nodeid = nodeid
        self.name = name
        self.capacity = capacity
        self.redundancy = redundancy
        self.driveType = driveType
        self.localDriveOnly = localDriveOnly
        self.provisioning = provisioning
        self.minimumIOPS = minimumIOPS
        self.maximumIOPS = maximumIOPS
        self.minimumBandwidth = minimumBandwidth
        self.maximumBandwidth = maximumBandwidth
        self.directory = directory
        self.filesystem = filesystem
        self.labels = labels
        self.allocated = allocated
        self.epoch = epoch
        self.isAttached = isAttached
        self.isMounted = isMounted
        self.device = device
        self.copiesInSync = copiesInSync
        self.copies = copies
        self.wait = wait
        self.rebuild = rebuild
    }
}

/// One copy of a volume.
public struct CopyView: Codable, Equatable, Sendable {
    /// The replica's id: 32 hex digits.
    public var id: String
    public var node: String
    public var nodeid: String
    public var driveid: String
    /// The copy's directory on its node; nil for a drive that is not known.
    public var path: String?
    /// `in sync`, `stale`, `rebuilding`, `away` (its node is unreachable).
    public var state: String
    /// The epoch that it has promised, as its node last reported.
    public var epoch: UInt64?
    /// Its checkpoint, `epoch.generation`, as its node last reported.
    public var stamp: String?
    /// Bytes on its drive, as its node last reported.
    public var allocated: UInt64?
    /// What keeps it from being in sync; nil when nothing does.
    public var lacks: String?

    public init(
        id: String, node: String, nodeid: String, driveid: String, path: String?, state: String,
        epoch: UInt64?, stamp: String?, allocated: UInt64?, lacks: String?
    ) {
        self.id = id
        self.node = node
        self.nodeid = nodeid
        self.driveid = driveid
        self.path = path
        self.state = state
        self.epoch = epoch
        self.stamp = stamp
        self.allocated = allocated
        self.lacks = lacks
    }
}

/// For what a volume waits.
public struct WaitView: Codable, Equatable, Sendable {
    public var forWhat: String
    /// Seconds since 1970; nil where the reporter cannot know.
    public var since: Double?
    public var endsWith: String

    public init(forWhat: String, since: Double?, endsWith: String) {
        self.forWhat = forWhat
        self.since = since
        self.endsWith = endsWith
    }
}

/// A rebuild under way.
public struct RebuildView: Codable, Equatable, Sendable {
    /// The node that gets the copy.
    public var to: String
    /// The owner, which drives it.
    public var drivenBy: String
    public var regionsDone: UInt64
    public var regionsTotal: UInt64
    public var isLocality: Bool

    public init(
        to: String, drivenBy: String, regionsDone: UInt64, regionsTotal: UInt64, isLocality: Bool
    ) {
        self.to = to
        self.drivenBy = drivenBy
        self.regionsDone = regionsDone
        self.regionsTotal = regionsTotal
        self.isLocality = isLocality
    }
}

/// `GET /v1/volumes`, with `?node=NODE` of one owner only.
public struct VolumeList: Codable, Equatable, Sendable {
    public var volumes: [VolumeView]
    public init(volumes: [VolumeView]) { self.volumes = volumes }
}
