import Units

/// What an owner tells whoever watches: for events, logs and progress.
public enum OwnerNotice: Equatable, Sendable {
    /// The epoch is recorded and this instance serves in it.
    case serving(Epoch)
    /// Every region is equal on every replica in sync; that many regions had to be copied.
    case reconciled(regions: UInt64)
    case replicaLeft(ReplicaID, Epoch)
    case replicaJoined(ReplicaID, Epoch)
    case rebuildStarted(ReplicaID)
    /// Regions copied, and regions known to need it.
    case rebuildProgress(ReplicaID, done: UInt64, of: UInt64)
    case rebuildFailed(ReplicaID)
    case replicaAdded(ReplicaID)
    case replicaFreed(ReplicaID)
    case badChecksum(ReplicaID, ByteRange)
    /// Damaged blocks were written anew with what another replica had.
    case repaired(ReplicaID, ByteRange)
}

/// Why an owner's session has ended.
public enum OwnerEnd: Equatable, Sendable {
    /// Closed on request; every copy is equal, and the record says so.
    case released
    /// Another instance has made an epoch, or a replica has promised a higher one than ours: the
    /// record tells which. Where the record is *below* `epoch`, the volume has to stop (rule 21).
    case deposed(epoch: Epoch)
    /// Every replica in sync may have lost unflushed writes: clients have to hear of it before
    /// the volume is opened again (rule 20).
    case lostWrites
}

/// What an owner waits for, so that a volume that waits can say so.
public enum OwnerWait: Equatable, Sendable {
    case nothing
    /// The answer of the metadata service.
    case record
    /// Promises, from these many replicas.
    case promises(Int)
    /// Regions still to be made equal.
    case reconciliation(UInt64)
}

/// How the metadata service answered a change of the configuration.
public enum ChangeAnswer: Equatable, Sendable {
    /// Recorded, now or by an earlier try.
    case recorded
    /// The record is another one.
    case conflict(VolumeConfiguration)
    /// Whether it was recorded is not known.
    case unknown
}

/// A change of the configuration under way.
public struct ConfigurationChange: Equatable, Sendable {
    public enum Purpose: Equatable, Sendable {
        case claim
        case removeSilent
        case promote(ReplicaID)
        case add(ReplicaID)
        case free(ReplicaID)
        case release
    }

    public var proposed: VolumeConfiguration
    public var purpose: Purpose
    /// The replicas that this change drops from the record, each to get a tombstone.
    public var dropped: [ReplicaRecord]

    public init(proposed: VolumeConfiguration, purpose: Purpose, dropped: [ReplicaRecord]) {
        self.proposed = proposed
        self.purpose = purpose
        self.dropped = dropped
    }
}
