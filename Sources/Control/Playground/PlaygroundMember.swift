import MetadataEtcd

/// One etcd member of a playground: everything of it lies in its own folder.
///
/// Members are no nodes: they stay when nodes are killed, and are there for whoever wants to kill
/// one of them by its pid. Where nodes have namespaces each of the first three has a member in
/// them, which dies with it.
struct PlaygroundMember: Equatable, Sendable {
    /// 1 for m1.
    let number: Int
    /// `DIR/etcd/m1`, without links.
    let folder: String
    let address: String

    /// As many as a cluster of nodes has voters: one may be lost.
    static let count = 3
    /// Marks the member's process.
    static let mark = "CIO_PLAYGROUND_ETCD"
    static let port: UInt16 = 2379
    private static let peerPort: UInt16 = 2380

    /// Where its status is asked: its address may be out of reach.
    let socket: String?

    init(number: Int, root: String, network: PlaygroundNetwork) {
        self.number = number
        folder = "\(Self.parent(root))/m\(number)"
        address = network.address(ofMember: number)
        socket = network == .bridged ? "\(folder)/\(Self.socketName(number))" : nil
    }

    /// etcd 3.4 takes no path there: what looks like a host and a port is a file in the folder
    /// that it is started in.
    private static func socketName(_ number: Int) -> String { "m\(number):\(port)" }

    /// What holds the folders of all members.
    static func parent(_ root: String) -> String { "\(root)/etcd" }

    var name: String { "m\(number)" }
    var endpoint: EtcdEndpoint { EtcdEndpoint(host: address, port: Self.port) }
    var log: String { "\(folder)/etcd.log" }
    private var peer: String { "http://\(address):\(Self.peerPort)" }

    /// What its `etcd` is started with, the first time and every other time.
    func arguments(among all: [PlaygroundMember]) -> [String] {
        let clients = ["\(endpoint)"] + (socket == nil ? [] : ["unix://\(Self.socketName(number))"])
        return [
            "--name", name, "--data-dir", "\(folder)/data",
            "--listen-client-urls", clients.joined(separator: ","),
            "--advertise-client-urls", "\(endpoint)",
            "--listen-peer-urls", peer, "--initial-advertise-peer-urls", peer,
            "--initial-cluster", all.map { "\($0.name)=\($0.peer)" }.joined(separator: ","),
            // As much of the past as a SQLite store keeps, or it would grow for ever.
            "--auto-compaction-mode", "revision", "--auto-compaction-retention", "20000",
            "--logger", "zap", "--log-level", "warn",
        ]
    }
}
