import Records
import Units

/// The drives of this node, as control sees them.
public protocol NodeStorage: Sendable {
    /// The drives that this node gives to the pool, as they are now.
    func drives() async -> [DriveRecord]

    /// Every replica that lies on them, known to the cluster or not.
    func replicas() async throws -> [StoredReplica]

    /// Makes the files of an empty replica. One that is already there and was made for the same
    /// volume and replica is left as it is.
    func create(_ replica: NewReplica) async throws -> StoredReplica

    /// Removes a replica's files. Called only for a tombstone that names it, after the engine
    /// has let go of it.
    func delete(_ replica: StoredReplica) async throws

    /// What the files say of their state. Never waits for the engine.
    func state(of replica: StoredReplica) async throws -> StoredState

    /// Whether no write or discard ever reached the replica: all of it is holes.
    func isUnwritten(_ replica: StoredReplica) async throws -> Bool
}

/// A replica found on a drive.
public struct StoredReplica: Hashable, Sendable {
    public var volume: VolumeID
    public var replica: ReplicaID
    public var drive: DriveID
    public var sizeBytes: UInt64
    /// `<drive>/replicas/<volume>`.
    public var directory: String

    public init(
        volume: VolumeID, replica: ReplicaID, drive: DriveID, sizeBytes: UInt64, directory: String
    ) {
        self.volume = volume
        self.replica = replica
        self.drive = drive
        self.sizeBytes = sizeBytes
        self.directory = directory
    }
}

/// A replica to be made.
public struct NewReplica: Hashable, Sendable {
    public var cluster: ClusterID
    public var volume: VolumeID
    public var replica: ReplicaID
    public var drive: DriveID
    public var sizeBytes: UInt64

    public init(
        cluster: ClusterID, volume: VolumeID, replica: ReplicaID, drive: DriveID,
        sizeBytes: UInt64
    ) {
        self.cluster = cluster
        self.volume = volume
        self.replica = replica
        self.drive = drive
        self.sizeBytes = sizeBytes
    }
}

public struct StoredState: Equatable, Sendable {
    public var promised: Epoch
    public var checkpoint: Stamp
    public var allocated: ByteCount

    public init(promised: Epoch, checkpoint: Stamp, allocated: ByteCount) {
        self.promised = promised
        self.checkpoint = checkpoint
        self.allocated = allocated
    }
}
