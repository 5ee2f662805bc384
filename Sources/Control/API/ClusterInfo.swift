/// `GET /v1/cluster`, with `?node=NODE` of one node's drives only.
public struct ClusterInfo: Codable, Equatable, Sendable {
    /// The cluster's id, 8 hex digits.
    public var domain: String
    public var nodes: NodeCounts
    public var vdisks: Int
    public var ssds: Int
    public var hdds: Int
    public var capacity: Capacity
    /// `Normal`, `warning`, `alert`.
    public var condition: String
    /// Why it is not normal, a line each.
    public var reasons: [String]
    /// For every node: whether its loss could be rebuilt in the free space of the others.
    public var nodeLoss: [NodeLoss]
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
        condition: String, reasons: [String], nodeLoss: [NodeLoss], engine: EngineInfo
    ) {
        self.domain = domain
        self.nodes = nodes
        self.vdisks = vdisks
        self.ssds = ssds
        self.hdds = hdds
        self.capacity = capacity
        self.condition = condition
        self.reasons = reasons
        self.nodeLoss = nodeLoss
        self.engine = engine
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
