import Records
import Units

/// Everything that the scheduler decides by, as its node sees it at one moment.
public struct ClusterView: Sendable {
    /// By number: who joined earlier comes first, all else being equal.
    public var nodes: [NodeView]
    /// By id or by vdisk number, always in the same order: who is served first where room is short.
    public var volumes: [VolumeView]
    public var settings: SchedulerSettings

    public init(
        nodes: [NodeView], volumes: [VolumeView], settings: SchedulerSettings = SchedulerSettings()
    ) {
        self.nodes = nodes
        self.volumes = volumes
        self.settings = settings
    }
}

/// A node and whether it lives.
public struct NodeView: Sendable, Equatable {
    public var record: NodeRecord
    public var isAlive: Bool
    /// How long it has been gone, by the clock of the node that leads and from when that one
    /// noticed: a new leader counts from zero, so that it waits rather too long than too short.
    public var silentFor: Span

    public init(record: NodeRecord, isAlive: Bool, silentFor: Span = Span(nanoseconds: 0)) {
        self.record = record
        self.isAlive = isAlive
        self.silentFor = silentFor
    }
}

/// A volume's records.
public struct VolumeView: Sendable, Equatable {
    public var wanted: WantedVolume
    public var configuration: VolumeConfiguration
    public var status: VolumeStatus?
    /// What one copy takes on its drive; nil while nobody has told: its whole size then.
    public var allocated: ByteCount?

    public init(
        wanted: WantedVolume, configuration: VolumeConfiguration, status: VolumeStatus? = nil,
        allocated: ByteCount? = nil
    ) {
        self.wanted = wanted
        self.configuration = configuration
        self.status = status
        self.allocated = allocated
    }
}

public struct SchedulerSettings: Sendable, Equatable {
    /// A copy whose node has been silent this long gets a replacement elsewhere.
    public var rebuildDelay: Span
    /// A backup that has been silent this long loses its role.
    public var roleDelay: Span
    /// A node is given no further copy while this many of its copies are not in sync yet.
    public var rebuildsPerNodeMax: Int

    public init(
        rebuildDelay: Span = .seconds(30), roleDelay: Span = .seconds(60),
        rebuildsPerNodeMax: Int = 4
    ) {
        self.rebuildDelay = rebuildDelay
        self.roleDelay = roleDelay
        self.rebuildsPerNodeMax = rebuildsPerNodeMax
    }
}
