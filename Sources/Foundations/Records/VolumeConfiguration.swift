import Units

/// Who serves a volume, and which copies count: the record on which every acknowledgement rests.
///
/// Written only by owners, by compare-and-swap on the epoch. A record of epoch 0 was written by
/// the volume's creation: nothing has been written to the volume yet.
public struct VolumeConfiguration: Codable, Equatable, Sendable {
    public var volume: VolumeID
    public var epoch: Epoch
    /// The last owner; nil before the first.
    public var owner: OwnerRecord?
    /// The owner has ended its session cleanly: nobody needs to wait for its leases.
    public var released: Bool
    /// Of the change that made this record: an owner recognises its own change by it.
    public var nonce: Identifier
    public var replicas: [ReplicaRecord]

    public init(
        volume: VolumeID, epoch: Epoch, owner: OwnerRecord?, released: Bool, nonce: Identifier,
        replicas: [ReplicaRecord]
    ) {
        self.volume = volume
        self.epoch = epoch
        self.owner = owner
        self.released = released
        self.nonce = nonce
        self.replicas = replicas
    }

    public var inSync: [ReplicaRecord] { replicas.filter { $0.state == .inSync } }
}

/// The one running instance through which a volume is read and written.
public struct OwnerRecord: Codable, Equatable, Hashable, Sendable {
    public var node: NodeID
    public var instance: InstanceID

    public init(node: NodeID, instance: InstanceID) {
        self.node = node
        self.instance = instance
    }
}

/// One copy of a volume and where it lies.
public struct ReplicaRecord: Codable, Equatable, Hashable, Sendable {
    public enum State: String, Codable, Sendable {
        /// Holds every acknowledged write: read from, and counted for acknowledgements.
        case inSync
        /// Has missed writes, or is new and empty; becomes in sync only by a rebuild.
        case stale
    }

    public var id: ReplicaID
    public var node: NodeID
    public var drive: DriveID
    public var state: State
    /// Its checkpoint counts for nothing: only a full rebuild brings it in sync.
    public var isVoid: Bool

    public init(id: ReplicaID, node: NodeID, drive: DriveID, state: State, isVoid: Bool = false) {
        self.id = id
        self.node = node
        self.drive = drive
        self.state = state
        self.isVoid = isVoid
    }
}

/// A replica that its node has to delete. The only thing that ever makes a node delete one.
public struct Tombstone: Codable, Equatable, Hashable, Sendable {
    public var volume: VolumeID
    public var replica: ReplicaID
    public var node: NodeID
    public var drive: DriveID

    public init(volume: VolumeID, replica: ReplicaID, node: NodeID, drive: DriveID) {
        self.volume = volume
        self.replica = replica
        self.node = node
        self.drive = drive
    }
}
