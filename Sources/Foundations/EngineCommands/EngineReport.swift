import Records
import Units
import WireFormat

/// What the engine tells control.
public enum EngineReport: Sendable {
    /// Record the change, in one transaction with its tombstones; then `configurationAnswered`.
    /// The same change may be asked for again after an unknown answer.
    case changeConfiguration(VolumeID, instance: InstanceID, ConfigurationChange)
    case ownerNotice(VolumeID, instance: InstanceID, OwnerNotice)
    /// The session is over; requests of clients wait for the next one, or fail, as it says.
    case ownerEnded(VolumeID, instance: InstanceID, OwnerEnd)
    case replicaOpened(VolumeID, ReplicaID)
    /// It could not be opened, or failed while open: one line that says why.
    case replicaFailed(VolumeID, ReplicaID, String)
    case replicaClosed(VolumeID, ReplicaID)
    /// The replica has refused requests of an owner whose epoch has passed: it is locked out.
    case oldOwnerRefused(VolumeID, ReplicaID, epoch: Epoch, promised: Epoch)
    /// Stored data did not match its checksum.
    case checksumMismatch(VolumeID, ReplicaID, offset: UInt64)
    /// A node's heartbeat was heard after a silence, or was missed for the give-up time.
    case nodeHeard(NodeID)
    case nodeSilent(NodeID)
    /// An NBD client has asked for an export by name: attach the volume here, if that may be.
    case exportWanted(token: UInt64, name: String)
    /// The last NBD client of the volume has gone.
    case exportIdle(VolumeID)
    case frontEndClosed(VolumeID)
    case stopped
}

/// Figures of one volume at its owner, or of the whole engine: plain counters, read at any time.
public struct VolumeCounters: Sendable, Hashable, Codable {
    public var reads: UInt64 = 0
    public var writes: UInt64 = 0
    public var flushes: UInt64 = 0
    public var bytesRead: UInt64 = 0
    public var bytesWritten: UInt64 = 0

    public init() {}
}
