/// A node in listings and as `GET /v1/nodes/{node}` shows it.
public struct NodeView: Codable, Equatable, Sendable {
    public var name: String
    public var ip: String
    /// Where its `ciod` listens for data connections.
    public var port: UInt16
    /// 8 hex digits, as listings show it.
    public var nodeid: String
    /// All 32 hex digits.
    public var id: String
    /// `sds`, `backup1`, `backup2`, `standard`.
    public var role: String
    /// `normal`, `maintenance` (unreachable), `cordoned`, `leaving`.
    public var status: String
    public var drives: [DriveView]
    /// Names of the volumes that it owns.
    public var volumes: [String]

    public init(
        name: String, ip: String, port: UInt16, nodeid: String, id: String, role: String,
        status: String, drives: [DriveView], volumes: [String]
    ) {
        self.name = name
        self.ip = ip
        self.port = port
        self.nodeid = nodeid
        self.id = id
        self.role = role
        self.status = status
        self.drives = drives
        self.volumes = volumes
    }
}

public struct DriveView: Codable, Equatable, Sendable {
    public var driveid: String
    /// The directory that is the drive.
    public var device: String
    /// `ssd`, `hdd`.
    public var type: String
    /// In bytes.
    public var total: UInt64
    public var free: UInt64
    /// `normal`, `faulty`.
    public var status: String

    public init(
        driveid: String, device: String, type: String, total: UInt64, free: UInt64, status: String
    ) {
        self.driveid = driveid
        self.device = device
        self.type = type
        self.total = total
        self.free = free
        self.status = status
    }
}

/// `GET /v1/nodes`.
public struct NodeList: Codable, Equatable, Sendable {
    public var nodes: [NodeView]
    public init(nodes: [NodeView]) { self.nodes = nodes }
}
