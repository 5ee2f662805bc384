import API
import APIClient

/// A node of a playground, or an etcd member, as `cio playground status` shows it.
public struct PlaygroundStatus: Codable, Equatable, Sendable {
    public var name: String
    public var ip: String
    public var port: UInt16
    /// The pid of its `ciod` or `etcd`; nil when it is dead.
    public var pid: Int32?
    /// What the cluster says of it: `normal`, `maintenance`, …; `unknown` when no node answers.
    /// Of a member what it says itself: `leader`, `follower`, `electing`.
    public var status: String
    /// Its REST socket; a member's URL.
    public var socket: String
    /// Of a node with a network namespace of its own: `plugged`, or `cut`.
    public var cable: String?
}

extension Playground {
    public func status() async throws -> [PlaygroundStatus] {
        let plan = try plan("Show the playground")
        let nodes = nodes(plan)
        let known = await statusByName(nodes)
        var all = nodes.map { node in
            PlaygroundStatus(
                name: node.name, ip: node.address, port: node.port,
                pid: daemon(of: node)?.pid,
                status: known[node.name] ?? "unknown", socket: node.socket,
                cable: node.network == .bridged ? (node.isCut ? "cut" : "plugged") : nil)
        }
        for member in members(plan) { all.append(await status(of: member)) }
        return all
    }

    /// From the first node that answers; of one that is cut, what it knows is old.
    private func statusByName(_ nodes: [PlaygroundNode]) async -> [String: String] {
        for node in nodes.filter({ !$0.isCut }) + nodes.filter(\.isCut) {
            let client = APIClient(endpoint: Endpoint(socketPath: node.socket))
            guard let list = try? await client.nodes() else { continue }
            return Dictionary(list.map { ($0.name, $0.status) }, uniquingKeysWith: { $1 })
        }
        return [:]
    }
}
