import Units

/// What operators and the scheduler want of a volume. Never touches the epoch.
public struct WantedVolume: Codable, Equatable, Sendable {
    /// Where the making of the filesystem stands. One is made only from `unformatted`, by the owner
    /// that changed it to `formatting`; any other volume is never formatted.
    public enum Format: String, Codable, Sendable { case unformatted, formatting, formatted }
    public enum Filesystem: String, Codable, Sendable, CaseIterable { case xfs, ext4, btrfs }
    public enum Provision: String, Codable, Sendable, CaseIterable { case thin, thick }
    public enum DriveType: String, Codable, Sendable, CaseIterable { case ssd, hdd }

    public var id: VolumeID
    public var name: String
    /// N of vdN: the smallest number free when the volume was created; 0 is the metadata service.
    public var vdisk: Int
    /// Only ever grows. Copies follow when they are opened, the filesystem while it is mounted.
    public var size: ByteCount
    public var copies: Int
    public var filesystem: Filesystem
    public var provision: Provision
    public var driveType: DriveType
    /// Host path; the mount point is `<directory>/vdN`. Nil: the node's own default.
    public var directory: String?
    public var labels: [String: String]
    public var service: ServiceLevel
    public var format: Format
    /// Of the filesystem that cio made; nil where somebody else made it, who also grows it.
    public var filesystemSize: ByteCount?
    public var autoexpand: Autoexpand

    /// Where copies should lie. The owner adds and rebuilds what is missing, and gives back what
    /// is too much once enough others are in sync.
    public var placement: [Place]
    /// Set by an operator's `--copies-on`: the scheduler leaves the placement alone while it can.
    public var placementIsFixed: Bool
    /// The node whose device it should be; nil while detached.
    public var attachTo: NodeID?
    /// Attached with its filesystem mounted.
    public var mount: Bool
    /// Attached for network clients only: no device is made, and it is detached with the last one.
    public var isExportOnly: Bool
    /// The node whose container engine has ordered it there last: it waits for the answer. Where
    /// that is not `attachTo`, somebody else has ordered it away since.
    public var broughtTo: NodeID?
    /// While detached: the node that should own it, named by the scheduler.
    public var parkedAt: NodeID?
    /// Being deleted: no session is opened any more, and its replicas get tombstones.
    public var isDeleting: Bool
    /// Locality rebuild or target asked for by an operator; the scheduler turns it into a placement.
    public var rebuildTo: NodeID?

    public init(
        id: VolumeID, name: String, vdisk: Int, size: ByteCount, copies: Int,
        filesystem: Filesystem = .xfs, provision: Provision = .thin, driveType: DriveType = .ssd,
        directory: String? = nil, labels: [String: String] = [:],
        service: ServiceLevel = .unlimited, format: Format = .unformatted,
        filesystemSize: ByteCount? = nil, autoexpand: Autoexpand = .off,
        placement: [Place], placementIsFixed: Bool = false, attachTo: NodeID? = nil,
        mount: Bool = false, isExportOnly: Bool = false, parkedAt: NodeID? = nil,
        isDeleting: Bool = false, rebuildTo: NodeID? = nil
    ) {
        self.id = id
        self.name = name
        self.vdisk = vdisk
        self.size = size
        self.copies = copies
        self.filesystem = filesystem
        self.provision = provision
        self.driveType = driveType
        self.directory = directory
        self.labels = labels
        self.service = service
        self.format = format
        self.filesystemSize = filesystemSize
        self.autoexpand = autoexpand
        self.placement = placement
        self.placementIsFixed = placementIsFixed
        self.attachTo = attachTo
        self.mount = mount
        self.isExportOnly = isExportOnly
        self.parkedAt = parkedAt
        self.isDeleting = isDeleting
        self.rebuildTo = rebuildTo
    }

    /// The node that should own it now.
    public var wantedOwner: NodeID? { attachTo ?? parkedAt }

    /// It is where it is ordered for a container engine's sake.
    public var isBrought: Bool { attachTo != nil && attachTo == broughtTo }
}

/// A drive of a node, where a copy lies or should lie.
public struct Place: Codable, Equatable, Hashable, Sendable {
    public var node: NodeID
    public var drive: DriveID

    public init(node: NodeID, drive: DriveID) {
        self.node = node
        self.drive = drive
    }
}
