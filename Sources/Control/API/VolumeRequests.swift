/// `POST /v1/volumes`. What is left out has the default of the interface.
public struct CreateVolumeRequest: Codable, Equatable, Sendable {
    /// Nil: `vdN`, the vdisk it gets.
    public var name: String?
    /// GB, 1 to 65536; 20 by default.
    public var capacityGB: UInt64?
    /// The number of copies, 1 to 3; 2 by default.
    public var level: Int?
    /// `xfs` (default), `ext4`, `btrfs`.
    public var filesystem: String?
    /// Absolute path; the mount point is `<directory>/vdN`.
    public var directory: String?
    /// `thin` (default).
    public var provision: String?
    /// `ssd` (default), `hdd`.
    public var type: String?
    /// Nodes that hold the copies, one each; as many as `level`, which it sets when that is absent.
    public var copiesOn: [String]?
    public var labels: [String: String]?
    /// Reads and writes a second: what it counts on, and at most. 0 is the same as none.
    public var iopsMin: UInt64?
    public var iopsMax: UInt64?
    /// MiB a second, likewise.
    public var bandwidthMin: UInt64?
    public var bandwidthMax: UInt64?
    /// Whether it grows by itself when its filesystem fills up: from how many percent in use, by
    /// how many percent of its capacity, and how often at most.
    public var autoexpand: Bool?
    public var autoexpandThreshold: UInt64?
    public var autoexpandIncrement: UInt64?
    public var autoexpandLimit: UInt64?
    /// A profile, for what is left out here.
    public var profile: String?
    /// The node that owns it at first, and has one of the copies when possible.
    public var node: String?

    public init(
        name: String? = nil, capacityGB: UInt64? = nil, level: Int? = nil,
        filesystem: String? = nil, directory: String? = nil, provision: String? = nil,
        type: String? = nil, copiesOn: [String]? = nil, labels: [String: String]? = nil,
        iopsMin: UInt64? = nil, iopsMax: UInt64? = nil, bandwidthMin: UInt64? = nil,
        bandwidthMax: UInt64? = nil, autoexpand: Bool? = nil,
        autoexpandThreshold: UInt64? = nil, autoexpandIncrement: UInt64? = nil,
        autoexpandLimit: UInt64? = nil,
        profile: String? = nil, node: String? = nil
    ) {
        self.name = name
        self.capacityGB = capacityGB
        self.level = level
        self.filesystem = filesystem
        self.directory = directory
        self.provision = provision
        self.type = type
        self.copiesOn = copiesOn
        self.labels = labels
        self.iopsMin = iopsMin
        self.iopsMax = iopsMax
        self.bandwidthMin = bandwidthMin
        self.bandwidthMax = bandwidthMax
        self.autoexpand = autoexpand
        self.autoexpandThreshold = autoexpandThreshold
        self.autoexpandIncrement = autoexpandIncrement
        self.autoexpandLimit = autoexpandLimit
        self.profile = profile
        self.node = node
    }
}

/// `POST /v1/volumes/{volume}/update`: what is left out stays as it is. Done at once, also for a
/// volume in use.
public struct UpdateVolumeRequest: Codable, Equatable, Sendable {
    /// As in `CreateVolumeRequest`; 0 takes a limit away.
    public var iopsMin: UInt64?
    public var iopsMax: UInt64?
    public var bandwidthMin: UInt64?
    public var bandwidthMax: UInt64?
    /// Labels to add or change; one whose value is empty is taken away.
    public var labels: [String: String]?
    /// In GB; larger than it is now. Volumes never shrink.
    public var capacityGB: UInt64?
    /// By so many GB; instead of `capacityGB`.
    public var growGB: UInt64?
    /// Whether it grows by itself when its filesystem fills up: from how many percent in use, by
    /// how many percent of its capacity, and how often at most.
    public var autoexpand: Bool?
    public var autoexpandThreshold: UInt64?
    public var autoexpandIncrement: UInt64?
    public var autoexpandLimit: UInt64?

    public init(
        iopsMin: UInt64? = nil, iopsMax: UInt64? = nil, bandwidthMin: UInt64? = nil,
        bandwidthMax: UInt64? = nil, labels: [String: String]? = nil,
        capacityGB: UInt64? = nil, growGB: UInt64? = nil, autoexpand: Bool? = nil,
        autoexpandThreshold: UInt64? = nil, autoexpandIncrement: UInt64? = nil,
        autoexpandLimit: UInt64? = nil
    ) {
        self.iopsMin = iopsMin
        self.iopsMax = iopsMax
        self.bandwidthMin = bandwidthMin
        self.bandwidthMax = bandwidthMax
        self.labels = labels
        self.capacityGB = capacityGB
        self.growGB = growGB
        self.autoexpand = autoexpand
        self.autoexpandThreshold = autoexpandThreshold
        self.autoexpandIncrement = autoexpandIncrement
        self.autoexpandLimit = autoexpandLimit
    }
}

/// `POST /v1/volumes/{volume}/attach`. Attached elsewhere: refused, or moved with `move`.
public struct AttachRequest: Codable, Equatable, Sendable {
    /// Nil: the node that is asked.
    public var node: String?
    /// Makes the filesystem at first use and mounts it.
    public var mount: Bool?
    /// How long to wait for it, 0 to 600; 60 by default. It goes on when that time is over.
    public var waitSeconds: Int?

    public init(node: String? = nil, mount: Bool? = nil, waitSeconds: Int? = nil) {
        self.node = node
        self.mount = mount
        self.waitSeconds = waitSeconds
    }
}

/// `POST /v1/volumes/{volume}/detach`; the body may be left out.
public struct DetachRequest: Codable, Equatable, Sendable {
    public var waitSeconds: Int?
    public init(waitSeconds: Int? = nil) { self.waitSeconds = waitSeconds }
}

/// `POST /v1/volumes/{volume}/move`: changes the owner, and the device with it when attached.
public struct MoveRequest: Codable, Equatable, Sendable {
    public var node: String
    public var waitSeconds: Int?

    public init(node: String, waitSeconds: Int? = nil) {
        self.node = node
        self.waitSeconds = waitSeconds
    }
}

/// `POST /v1/volumes/{volume}/rebuild`: exactly one of both. Returns at once; progress is in the
/// volume's `rebuild`.
public struct RebuildRequest: Codable, Equatable, Sendable {
    /// A copy for the owner's node.
    public var local: Bool?
    /// A copy for that node.
    public var to: String?

    public init(local: Bool? = nil, to: String? = nil) {
        self.local = local
        self.to = to
    }
}

/// The answer to everything that changes a volume.
public struct OperationResult: Codable, Equatable, Sendable {
    /// What follows `Succeed: `, such as `Add vd5: Type:2-copy, Size:20GB`.
    public var message: String
    /// As it is now; nil when it was removed.
    public var volume: VolumeView?

    public init(message: String, volume: VolumeView? = nil) {
        self.message = message
        self.volume = volume
    }
}
