import EngineCommands
import Ring
import Units

/// What an engine is told at its start.
public struct EngineConfiguration: Sendable {
    public var kind: EngineKind
    /// Engine threads. A volume and its replica live on one of them.
    public var threads: Int
    public var cluster: ClusterID
    public var node: NodeID
    /// Of this run of the process.
    public var incarnation: IncarnationID
    /// Of this boot of the machine; /proc/sys/kernel/random/boot_id unless a test says otherwise.
    public var boot: BootID
    /// Where other nodes connect to, and what connections to them are bound to. Port 0: any;
    /// `Engine.port` tells which.
    public var listen: SocketAddress
    /// Where the NBD server listens; nil for none. An old socket file is replaced.
    public var nbdSocketPath: String?
    /// Where it listens for NBD clients of the network as well; nil for none. Port 0: any;
    /// `Engine.nbdPort` tells which.
    public var nbdAddress: SocketAddress?
    public var timing: Timing
    /// Between two heartbeats to a node with which volumes are shared.
    public var heartbeat: Span

    public init(
        kind: EngineKind = .auto, threads: Int = 1, cluster: ClusterID, node: NodeID,
        incarnation: IncarnationID = .random(), boot: BootID, listen: SocketAddress,
        nbdSocketPath: String? = nil, nbdAddress: SocketAddress? = nil,
        timing: Timing = Timing(), heartbeat: Span = .milliseconds(500)
    ) {
        self.kind = kind
        self.threads = threads
        self.cluster = cluster
        self.node = node
        self.incarnation = incarnation
        self.boot = boot
        self.listen = listen
        self.nbdSocketPath = nbdSocketPath
        self.nbdAddress = nbdAddress
        self.timing = timing
        self.heartbeat = heartbeat
    }
}
