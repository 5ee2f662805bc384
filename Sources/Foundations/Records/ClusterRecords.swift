import Units

/// What a cluster is known by. Changed with every node that joins, which puts joins in an order.
public struct ClusterRecord: Codable, Equatable, Sendable {
    public var id: ClusterID
    /// Nodes that ever joined: the next one's number.
    public var nodesEver: Int

    public init(id: ClusterID, nodesEver: Int) {
        self.id = id
        self.nodesEver = nodesEver
    }
}

/// The node that schedules now, under its liveness lease.
public struct LeadRecord: Codable, Equatable, Sendable {
    public var node: NodeID
    public var incarnation: IncarnationID

    public init(node: NodeID, incarnation: IncarnationID) {
        self.node = node
        self.incarnation = incarnation
    }
}

/// A node whose liveness is gone, as the lead noticed it.
public struct LostNode: Codable, Equatable, Sendable {
    public var node: NodeID
    /// Seconds since 1970.
    public var since: Double

    public init(node: NodeID, since: Double) {
        self.node = node
        self.since = since
    }
}

/// Why a volume without an owner waits.
public struct OwnerlessWait: Codable, Equatable, Sendable {
    public var volume: VolumeID
    public var waitsFor: String
    /// Seconds since 1970.
    public var since: Double
    public var endsWith: String

    public init(volume: VolumeID, waitsFor: String, since: Double, endsWith: String) {
        self.volume = volume
        self.waitsFor = waitsFor
        self.since = since
        self.endsWith = endsWith
    }
}

/// What a node says of a copy on one of its drives. Refreshed from time to time; for people.
public struct CopyStatus: Codable, Equatable, Sendable {
    public var volume: VolumeID
    public var replica: ReplicaID
    public var node: NodeID
    public var promised: Epoch
    public var checkpoint: Stamp
    /// All of it was holes after `promised` was read: no owner of an older epoch can change that.
    public var isUnwritten: Bool
    /// What it takes on its drive.
    public var allocated: ByteCount

    public init(
        volume: VolumeID, replica: ReplicaID, node: NodeID, promised: Epoch, checkpoint: Stamp,
        isUnwritten: Bool, allocated: ByteCount
    ) {
        self.volume = volume
        self.replica = replica
        self.node = node
        self.promised = promised
        self.checkpoint = checkpoint
        self.isUnwritten = isUnwritten
        self.allocated = allocated
    }
}
