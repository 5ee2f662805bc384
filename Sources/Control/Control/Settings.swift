import EngineCommands
import Units

/// What a node's control goes by.
public struct ControlSettings: Sendable {
    public var node: NodeID
    public var name: String
    public var address: SocketAddress
    /// Of this run of the process.
    public var incarnation: IncarnationID
    public var boot: BootID
    /// Where filesystems are mounted, as `vdN`, unless the volume says otherwise.
    public var volumesDirectory: String
    public var version: String
    /// Data connections are not authenticated, and their address is not a loopback one.
    public var isInsecureNetwork: Bool
    public var times: ControlTimes

    public init(
        node: NodeID, name: String, address: SocketAddress, incarnation: IncarnationID,
        boot: BootID, volumesDirectory: String, version: String, isInsecureNetwork: Bool = false,
        times: ControlTimes = ControlTimes()
    ) {
        self.node = node
        self.name = name
        self.address = address
        self.incarnation = incarnation
        self.boot = boot
        self.volumesDirectory = volumesDirectory
        self.version = version
        self.isInsecureNetwork = isInsecureNetwork
        self.times = times
    }
}

/// The times that control goes by; every one is a setting.
public struct ControlTimes: Sendable, Equatable {
    /// A node is given up after this long a silence.
    public var liveness: Duration
    /// A copy is made elsewhere when its node is silent for longer.
    public var rebuildDelay: Duration
    /// A role moves when its holder is silent for longer.
    public var roleDelay: Duration
    /// Between two looks at what nothing reports: free space, the state of copies.
    public var survey: Duration
    /// Before a step that failed or was refused is tried again.
    public var retry: Duration
    /// What another node's container engine waits for until a volume's users here have ended. A
    /// Swarm starts the next task while it ends the last one, which Docker gives ten seconds.
    public var handover: Duration

    public init(
        liveness: Duration = .seconds(3), rebuildDelay: Duration = .seconds(30),
        roleDelay: Duration = .seconds(60), survey: Duration = .seconds(10),
        retry: Duration = .seconds(1), handover: Duration = .seconds(12)
    ) {
        self.liveness = liveness
        self.rebuildDelay = rebuildDelay
        self.roleDelay = roleDelay
        self.survey = survey
        self.retry = retry
        self.handover = handover
    }

    /// A lease is renewed three times before it could run out.
    var renewal: Duration { liveness / 3 }
}

/// Bounds of what control keeps.
enum ControlLimits {
    /// Events that are kept; the oldest go first, some hundred at a time.
    static let eventsMax: UInt64 = 10_000
    static let eventsTrimmed: UInt64 = 100
    /// Events that wait to be written while the metadata service is away; later ones are only
    /// logged.
    static let eventsQueuedMax = 1_000
    /// Written in one transaction: two operations, and some for trimming, of 120.
    static let eventsAtOnce = 20
}
