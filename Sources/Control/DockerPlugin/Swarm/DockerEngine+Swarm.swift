import AsyncHTTPClient
import FoundationEssentials
import NIOCore
import NIOFoundationEssentialsCompat

// What the engine says about the Swarm that it is in, and changes there.
extension DockerEngine {
    /// The nodes of the Swarm; nil unless the engine is one of its managers.
    func swarmNodes() async -> [SwarmNode]? { await get("/nodes") }

    /// Which of them this engine is; nil where it does not say so, or may not change the Swarm.
    func swarmNodeID() async -> String? {
        guard let info: Info = await get("/info"), let swarm = info.Swarm,
            swarm.ControlAvailable == true, let id = swarm.NodeID, !id.isEmpty
        else { return nil }
        return id
    }

    /// `GET /info`, as far as it matters here.
    private struct Info: Decodable {
        struct Swarm: Decodable {
            var NodeID: String?
            var ControlAvailable: Bool?
        }
        var Swarm: Swarm?
    }

    /// Replaces what is wanted of a node. False where somebody else has changed it since it was
    /// read, or the engine refuses.
    func update(_ node: SwarmNode, spec: JSONValue) async -> Bool {
        guard let body = try? JSONEncoder().encode(spec) else { return false }
        var request = request("/nodes/\(node.id)/update?version=\(node.version)")
        request.method = .POST
        request.headers.add(name: "content-type", value: "application/json")
        request.body = .bytes(ByteBuffer(data: body))
        return await answer(to: request) != nil
    }

    private func get<Answer: Decodable>(_ path: String) async -> Answer? {
        guard let body = await answer(to: request(path)) else { return nil }
        return try? JSONDecoder().decode(Answer.self, from: body)
    }
}
