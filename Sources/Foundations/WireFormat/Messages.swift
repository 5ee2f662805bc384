import Units

/// What an owner asks of a replica. The raw value stands on the wire.
public enum RequestKind: UInt8, Sendable {
    case promise = 16
    case read = 17
    case write = 18
    case discard = 19
    case writeZeroes = 20
    case flush = 21
    /// The regions whose stamp is above a given one, a page at a time.
    case list = 22
    case lease = 23
    case giveLeaseBack = 24
    case checkpoint = 25
    /// "You hold everything": sets `intact`.
    case whole = 26

    /// Whether it changes data, so that it carries a stamp and marks regions.
    @inlinable public var changesData: Bool {
        self == .write || self == .discard || self == .writeZeroes
    }
}

/// How a request ended. The raw value stands on the wire.
public enum ReplyStatus: UInt8, Sendable {
    case ok = 0
    /// The replica has promised a higher epoch; the reply names it.
    case refused = 1
    case ioError = 2
    case noSpace = 3
    /// The stored data does not match its checksum.
    case badChecksum = 4
    /// The request makes no sense to the receiver: a bug at the sender.
    case invalid = 5
}

/// One request from an owner to a replica, without its payload.
public struct ReplicaRequest: Equatable, Sendable {
    public var kind: RequestKind
    public var forceUnitAccess: Bool
    /// The owner copies a region: a write like any other, told apart for counting only.
    public var isCopy = false
    /// Chosen by the owner, repeated in the reply.
    public var id: UInt64
    public var epoch: Epoch
    /// With the epoch, the stamp of a request that changes data.
    public var generation: Generation
    /// Whole blocks. read and write: within one region. list: `offset` is the first *region*.
    public var range: ByteRange
    /// list: entries above this one are wanted. checkpoint: its new value.
    public var stamp: Stamp

    @inlinable public init(
        _ kind: RequestKind, id: UInt64, epoch: Epoch, generation: Generation = 0,
        range: ByteRange = ByteRange(offset: 0, length: 0), stamp: Stamp = .zero,
        forceUnitAccess: Bool = false
    ) {
        self.kind = kind
        self.id = id
        self.epoch = epoch
        self.generation = generation
        self.range = range
        self.stamp = stamp
        self.forceUnitAccess = forceUnitAccess
    }
}

/// One reply of a replica to its owner, without its payload.
public struct ReplicaReply: Equatable, Sendable {
    /// The kind of the request that this answers.
    public var kind: RequestKind
    public var status: ReplyStatus
    public var id: UInt64
    /// The epoch that the replica has promised.
    public var epoch: Epoch
    /// promise: what the replica holds.
    public var holding: Holding
    /// list: the region to ask for next; `ReplicaReply.listEnd` after the last page.
    public var nextRegion: UInt64

    public static let listEnd = UInt64.max

    @inlinable public init(
        _ kind: RequestKind, id: UInt64, status: ReplyStatus, epoch: Epoch,
        holding: Holding = Holding(), nextRegion: UInt64 = ReplicaReply.listEnd
    ) {
        self.kind = kind
        self.id = id
        self.status = status
        self.epoch = epoch
        self.holding = holding
        self.nextRegion = nextRegion
    }
}

/// What a replica says of itself when it promises an epoch.
public struct Holding: Equatable, Sendable {
    public var checkpoint: Stamp
    /// It has lost nothing since it was told that it is whole.
    public var intact: Bool
    /// Its machine has not booted since its last promise before this one.
    public var sameBoot: Bool

    @inlinable public init(checkpoint: Stamp = .zero, intact: Bool = false, sameBoot: Bool = false) {
        self.checkpoint = checkpoint
        self.intact = intact
        self.sameBoot = sameBoot
    }
}

/// One line of a replica's region map.
public struct RegionEntry: Equatable, Sendable {
    public var region: UInt64
    public var stamp: Stamp

    @inlinable public init(region: UInt64, stamp: Stamp) {
        self.region = region
        self.stamp = stamp
    }

    /// Entries in one page of a list reply: 24 bytes each, 48 KiB in all.
    public static let pageMax = 2048
}

/// What both sides say before anything else on a connection for a volume.
public struct Hello: Equatable, Sendable {
    public var cluster: ClusterID
    public var node: NodeID
    /// This run of the process: tells a reconnection from a restart.
    public var incarnation: IncarnationID
    /// This boot of the machine: tells a restart from a possible loss of unflushed writes.
    public var boot: BootID
    public var volume: VolumeID
    public var replica: ReplicaID
    /// The owner's instance. One connection serves one instance and one replica.
    public var instance: InstanceID
    /// Of the volume, as both sides have to know it: a copy that has still to grow says so.
    public var sizeBytes: UInt64

    @inlinable public init(
        cluster: ClusterID, node: NodeID, incarnation: IncarnationID, boot: BootID,
        volume: VolumeID, replica: ReplicaID, instance: InstanceID, sizeBytes: UInt64
    ) {
        self.cluster = cluster
        self.node = node
        self.incarnation = incarnation
        self.boot = boot
        self.volume = volume
        self.replica = replica
        self.instance = instance
        self.sizeBytes = sizeBytes
    }
}
