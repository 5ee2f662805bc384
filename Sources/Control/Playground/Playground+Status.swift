import API
import APIClient

/// A node of a playground as `cio playground status` shows it.
public struct PlaygroundStatus: Codable, Equatable, Sendable {
    public var name: String
    public var ip: String
    public var port: UInt16
    /// The pid of its `ciod`; nil when it is dead.
    public var pid: Int32?
    /// What the cluster says of it: `normal`, `maintenance`, …; `unknown` when no node answers.
    public var status: String
    /// Its REST socket.
    public var socket: String
}

extension Playground {
    public func status() async throws -> [PlaygroundStatus] {
        let nodes = nodes(try plan("Show the playground"))
        let known = await statusByName(nodes)
        return nodes.map { node in
            PlaygroundStatus(
                name: node.name, ip: node.address, port: node.port,
                pid: processes(of: node).map(\.pid).min(),
                status: known[node.name] ?? "unknown", socket: node.socket)
        }
    }

    /// From the first node that answers.
    private func statusByName(_ nodes: [PlaygroundNode]) async -> [String: String] {
        for node in nodes {
            let client = APIClient(endpoint: Endpoint(socketPath: node.socket))
            guard let list = try? await client.nodes() else { continue }
            return Dictionary(list.map { ($0.name, $0.status) }, uniquingKeysWith: { $1 })
        }
        return [:]
    }
}
