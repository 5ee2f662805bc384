import Units

/// A node as the cluster knows it. Whether it is alive stands in its liveness lease, not here.
public struct NodeRecord: Codable, Equatable, Sendable {
    public enum Role: String, Codable, Sendable, CaseIterable { case sds, backup1, backup2, standard }
    /// What an operator has asked of it; unreachable nodes show `maintenance` whatever this is.
    public enum Duty: String, Codable, Sendable { case normal, cordoned, leaving }

    public var id: NodeID
    public var name: String
    /// Where its `ciod` listens for data connections.
    public var address: String
    public var port: UInt16
    public var role: Role
    public var duty: Duty
    public var drives: [DriveRecord]
    /// Joined in this order: decides who gets a role, all else being equal.
    public var number: Int

    public init(
        id: NodeID, name: String, address: String, port: UInt16, role: Role, duty: Duty = .normal,
        drives: [DriveRecord], number: Int
    ) {
        self.id = id
        self.name = name
        self.address = address
        self.port = port
        self.role = role
        self.duty = duty
        self.drives = drives
        self.number = number
    }
}

public struct DriveRecord: Codable, Equatable, Sendable {
    public enum Status: String, Codable, Sendable { case normal, faulty }

    public var id: DriveID
    /// The directory that is the drive.
    public var path: String
    public var type: WantedVolume.DriveType
    public var total: ByteCount
    /// As last reported by its node; rounded, so that it is not written all the time.
    public var free: ByteCount
    public var status: Status

    public init(
        id: DriveID, path: String, type: WantedVolume.DriveType, total: ByteCount, free: ByteCount,
        status: Status = .normal
    ) {
        self.id = id
        self.path = path
        self.type = type
        self.total = total
        self.free = free
        self.status = status
    }
}

/// The proof that a node lives: kept under a lease that the node renews, gone when it is silent.
public struct Liveness: Codable, Equatable, Sendable {
    public var node: NodeID
    public var incarnation: IncarnationID
    public var boot: BootID

    public init(node: NodeID, incarnation: IncarnationID, boot: BootID) {
        self.node = node
        self.incarnation = incarnation
        self.boot = boot
    }
}

/// What an owner reports of a volume, under its node's liveness lease: it is there exactly while
/// the node has a session, so that the next owner knows whether there is one to wait for. No
/// acknowledgement rests on it.
public struct VolumeStatus: Codable, Equatable, Sendable {
    public var volume: VolumeID
    public var node: NodeID
    /// The device is offered at that node; the filesystem is mounted there.
    public var isAttached: Bool
    public var isMounted: Bool
    /// The device's path and the mount point at that node.
    public var device: String?
    public var mountPoint: String?
    /// Why what is wanted of device and mount cannot be done, though it is tried again.
    public var failure: String?
    /// For what the volume waits, since when (seconds since 1970), and what would end it.
    public var waitsFor: String?
    public var waitsSince: Double?
    public var waitEndsWith: String?
    public var rebuild: RebuildProgress?
    /// The size that is served, device included; nil while none is.
    public var size: ByteCount?

    public init(
        volume: VolumeID, node: NodeID, isAttached: Bool = false, isMounted: Bool = false,
        device: String? = nil, mountPoint: String? = nil, failure: String? = nil,
        waitsFor: String? = nil, waitsSince: Double? = nil, waitEndsWith: String? = nil,
        rebuild: RebuildProgress? = nil, size: ByteCount? = nil
    ) {
        self.volume = volume
        self.node = node
        self.size = size
        self.isAttached = isAttached
        self.isMounted = isMounted
        self.device = device
        self.mountPoint = mountPoint
        self.failure = failure
        self.waitsFor = waitsFor
        self.waitsSince = waitsSince
        self.waitEndsWith = waitEndsWith
        self.rebuild = rebuild
    }
}

public struct RebuildProgress: Codable, Equatable, Sendable {
    public var replica: ReplicaID
    public var node: NodeID
    public var regionsDone: UInt64
    public var regionsTotal: UInt64
    /// It gives the owner's node a copy.
    public var isLocality: Bool

    public init(
        replica: ReplicaID, node: NodeID, regionsDone: UInt64, regionsTotal: UInt64, isLocality: Bool
    ) {
        self.replica = replica
        self.node = node
        self.regionsDone = regionsDone
        self.regionsTotal = regionsTotal
        self.isLocality = isLocality
    }
}
