import Records
import Units
import WireFormat

/// What control asks of the engine. Every command is answered by a report or is idempotent, so
/// that a control loop that asks again does no harm.
public enum EngineCommand: Sendable {
    /// Where a node's `ciod` listens for data connections; nil when it has left the cluster.
    case nodeAddress(NodeID, SocketAddress?)
    /// This node holds that replica: serve it to its owner. Opened when an owner connects.
    case registerReplica(LocalReplica)
    /// Close it, if it is open, and refuse owners from now on. Answered by `replicaClosed`.
    case unregisterReplica(VolumeID, ReplicaID)
    /// Open a session as the volume's owner, from the record as read.
    case openOwner(VolumeConfiguration, instance: InstanceID, sizeBytes: UInt64)
    /// End the session cleanly: `ownerEnded` follows.
    case closeOwner(VolumeID, instance: InstanceID)
    /// The answer to `EngineReport.changeConfiguration`.
    case configurationAnswered(VolumeID, instance: InstanceID, ChangeAnswer)
    /// The record was read, and this session is not its owner: a session whose copies were all
    /// moved away would not hear of its end from them.
    case recordSeen(VolumeConfiguration, instance: InstanceID)
    /// Hold the volume's clients back to this, here and from now on; to be said again whenever a
    /// session is opened.
    case limit(VolumeID, ServiceLevel)
    /// Steps of a rebuild; each is refused silently while it is not possible: ask again.
    case addReplica(VolumeID, ReplicaRecord)
    case rebuild(VolumeID, ReplicaID)
    case freeReplica(VolumeID, ReplicaID, copiesWanted: Int)
    /// The volume's FUSE file is mounted, and this descriptor serves it; the engine owns it.
    ///
    /// It is resumed where an earlier process has served it, and a session has been serving since
    /// this one claimed the volume: what that process has not answered comes again.
    case serveFUSE(VolumeID, descriptor: Int32, isResumed: Bool = false)
    /// Let go of the volume's front end on /dev/fuse. Answered by `frontEndClosed`.
    case stopFUSE(VolumeID)
    /// The answer to `EngineReport.exportWanted`: clients of the name may go on, or not.
    case exportAnswered(token: UInt64, Result<NBDExport, ExportRefusal>)
    /// The names that an NBD client's list request shows.
    case exportNames([String])
    /// Stop everything that is open, cleanly, then report `stopped`.
    case stop
}

/// An IPv4 address and port of a node, as it is bound and connected to.
public struct SocketAddress: Hashable, Sendable, Codable {
    /// Dotted decimal.
    public var host: String
    public var port: UInt16

    public init(host: String, port: UInt16) {
        self.host = host
        self.port = port
    }
}

/// A replica that lies on a drive of this node.
public struct LocalReplica: Sendable, Hashable {
    public var volume: VolumeID
    public var replica: ReplicaID
    public var sizeBytes: UInt64
    /// `<drive>/replicas/<volume>`.
    public var directory: String

    public init(volume: VolumeID, replica: ReplicaID, sizeBytes: UInt64, directory: String) {
        self.volume = volume
        self.replica = replica
        self.sizeBytes = sizeBytes
        self.directory = directory
    }
}

public struct NBDExport: Sendable, Hashable {
    public var volume: VolumeID
    public var sizeBytes: UInt64
    public var description: String

    public init(volume: VolumeID, sizeBytes: UInt64, description: String) {
        self.volume = volume
        self.sizeBytes = sizeBytes
        self.description = description
    }
}

/// Why a volume cannot be opened here: one line for the client.
public struct ExportRefusal: Error, Sendable, Hashable {
    public var isUnknownName: Bool
    public var message: String

    public init(isUnknownName: Bool, message: String) {
        self.isUnknownName = isUnknownName
        self.message = message
    }
}
