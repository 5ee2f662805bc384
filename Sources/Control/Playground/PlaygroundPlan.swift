import API
import FoundationEssentials

/// What a playground is made of; kept in its folder, so that every command finds the same.
public struct PlaygroundPlan: Codable, Equatable, Sendable {
    /// The node vN listens on 127.77.<network>.N; 0 where nodes have namespaces of their own.
    public var network: Int
    public var nodes: Int
    /// As `ciod --engine` takes it; nil for its own choice.
    public var engine: String?
    /// Seconds; nil for ciod's default.
    public var rebuildDelay: Int?
    public var liveness: Int?
    /// etcd members of its own as the metadata service; nil for a SQLite file.
    public var etcdMembers: Int?
    /// Nodes have network and mount namespaces of their own; nil where they have not.
    public var hasNamespaces: Bool?

    public init(
        network: Int, nodes: Int, engine: String? = nil, rebuildDelay: Int? = nil,
        liveness: Int? = nil, etcdMembers: Int? = nil, hasNamespaces: Bool? = nil
    ) {
        self.network = network
        self.nodes = nodes
        self.engine = engine
        self.rebuildDelay = rebuildDelay
        self.liveness = liveness
        self.etcdMembers = etcdMembers
        self.hasNamespaces = hasNamespaces
    }

    /// Where its nodes have their addresses.
    var addresses: PlaygroundNetwork {
        hasNamespaces ?? false ? .bridged : .loopback(network)
    }

    static func file(in folder: String) -> String { "\(folder)/playground.json" }

    /// Nil when there is no playground in the folder.
    static func load(from folder: String) throws(APIError) -> PlaygroundPlan? {
        let path = file(in: folder)
        guard let data = FileManager.default.contents(atPath: path) else { return nil }
        do { return try JSONDecoder().decode(PlaygroundPlan.self, from: data) } catch {
            throw APIError(
                what: "Read \(path)", why: "it is not what cio playground writes (\(error))",
                next: "remove \(folder) by hand, if it is yours")
        }
    }

    func save(to folder: String) throws(APIError) {
        let path = Self.file(in: folder)
        do { try JSONEncoder().encode(self).write(to: URL(filePath: path), options: .atomic) } catch
        { throw APIError(what: "Write \(path)", why: "\(error)") }
    }
}
