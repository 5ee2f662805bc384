/// `GET /v1/cluster`, with `?node=NODE` of one node's drives only.
public struct ClusterInfo: Codable, Equatable, Sendable {
    /// The cluster's id, 8 hex digits.
    public var domain: String
    public var nodes: NodeCounts
    public var vdisks: Int
    public var ssds: Int
    public var hdds: Int
    public var capacity: Capacity
    /// Reads and writes a second.
    public var iops: Promised
    /// MiB a second.
    public var bandwidth: Promised
    /// `Normal`, `warning`, `alert`.
    public var condition: String
    /// Why it is not normal, a line each.
    public var reasons: [String]
    /// For every node: whether its loss could be rebuilt in the free space of the others.
    public var nodeLoss: [NodeLoss]
    /// As the node that was asked finds it now.
    public var metadataService: MetadataServiceInfo
    /// Of the node that was asked.
    public var engine: EngineInfo

    public struct NodeCounts: Codable, Equatable, Sendable {
        public var total: Int
        public var online: Int

        public init(total: Int, online: Int) {
            self.total = total
            self.online = online
        }
    }

    /// In bytes.
    public struct Capacity: Codable, Equatable, Sendable {
        public var total: UInt64
        public var used: UInt64
        public var free: UInt64
        /// What all copies of all volumes would take if they were full.
        public var provisioned: UInt64

        public init(total: UInt64, used: UInt64, free: UInt64, provisioned: UInt64) {
            self.total = total
            self.used = used
            self.free = free
            self.provisioned = provisioned
        }
    }

    /// What volumes count on. What the drives can do is measured by nobody, so there is no total.
    public struct Promised: Codable, Equatable, Sendable {
        /// The sum of the volumes' minima.
        public var provisioned: UInt64

        public init(provisioned: UInt64) { self.provisioned = provisioned }
    }

    public struct NodeLoss: Codable, Equatable, Sendable {
        public var node: String
        public var canBeRebuilt: Bool
        /// Why not.
        public var why: String?

        public init(node: String, canBeRebuilt: Bool, why: String?) {
            self.node = node
            self.canBeRebuilt = canBeRebuilt
            self.why = why
        }
    }

    public init(
        domain: String, nodes: NodeCounts, vdisks: Int, ssds: Int, hdds: Int, capacity: Capacity,
        iops: Promised, bandwidth: Promised, condition: String, reasons: [String],
        nodeLoss: [NodeLoss], metadataService: MetadataServiceInfo, engine: EngineInfo
    ) {
        self.domain = domain
        self.nodes = nodes
        self.vdisks = vdisks
        self.ssds = ssds
        self.hdds = hdds
        self.capacity = capacity
        self.iops = iops
        self.bandwidth = bandwidth
        self.condition = condition
        self.reasons = reasons
        self.nodeLoss = nodeLoss
        self.metadataService = metadataService
        self.engine = engine
    }
}

public struct MetadataServiceInfo: Codable, Equatable, Sendable {
    /// `sqlite`, `etcd`, `memory`.
    public var kind: String
    /// Changes are taken: of etcd's members, enough to decide can be reached.
    public var isReachable: Bool
    /// In the order in which the node asks them.
    public var endpoints: [Endpoint]

    public struct Endpoint: Codable, Equatable, Sendable {
        /// A path, or a URL.
        public var address: String
        public var isReachable: Bool
        /// Of an etcd member: `leader`, `follower`, `electing`.
        public var role: String?

        public init(address: String, isReachable: Bool, role: String?) {
            self.address = address
            self.isReachable = isReachable
            self.role = role
        }
    }

    public init(kind: String, isReachable: Bool, endpoints: [Endpoint]) {
        self.kind = kind
        self.isReachable = isReachable
        self.endpoints = endpoints
    }
}

public struct EngineInfo: Codable, Equatable, Sendable {
    /// `io_uring`, `libaio`.
    public var kind: String
    /// What the kernel lacks, and what that costs: a line each.
    public var missing: [String]

    public init(kind: String, missing: [String]) {
        self.kind = kind
        self.missing = missing
    }
}

/// `GET /v1/version`.
public struct VersionInfo: Codable, Equatable, Sendable {
    public var version: String
    /// Of the REST API.
    public var api: Int
    public var node: String
    public var nodeid: String

    public init(version: String, api: Int, node: String, nodeid: String) {
        self.version = version
        self.api = api
        self.node = node
        self.nodeid = nodeid
    }
}
