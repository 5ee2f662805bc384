import Dispatch
import Foundation
import Synchronization

/// Stands in for the Engine API of a Docker that is in a Swarm: nodes with specifications and
/// versions, and an update that is refused when it names an old version. Not Docker.
final class FakeDockerAPI: Sendable {
    struct Node {
        var hostname: String
        var address: String
        var manager: String?
        var labels: [String: String] = [:]
        var version = 10
        /// Of the specification, what nobody here knows about.
        var availability = "active"
    }

    struct State {
        var nodes: [String: Node] = [:]
        var here = ""
        var isManager = true
        /// Done before an update is looked at: what somebody else does at that moment.
        var beforeUpdate: (@Sendable (inout State) -> Void)?
        /// Method and path of each request, as they came.
        var requests: [String] = []
    }

    let path = "/tmp/cio-docker-\(UUID().uuidString.prefix(8)).sock"
    let state = Mutex(State())
    private let listener: Int32

    init() throws {
        listener = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
        let size = socklen_t(MemoryLayout<sockaddr_un>.size)
        let isBound = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(listener, $0, size) }
        }
        guard isBound == 0, listen(listener, 16) == 0 else { throw CocoaError(.fileWriteUnknown) }
        Thread.detachNewThread { [listener, weak self] in
            while case let client = accept(listener, nil, nil), client >= 0 {
                self?.serve(client)
                close(client)
            }
        }
    }

    /// No more is accepted.
    func end() {
        shutdown(listener, Int32(SHUT_RDWR))
        close(listener)
        unlink(path)
    }

    func labels(of id: String) -> [String: String]? { state.withLock { $0.nodes[id]?.labels } }
    var updates: [String] { state.withLock { $0.requests.filter { $0.hasPrefix("POST") } } }

    private func serve(_ client: Int32) {
        var text = ""
        var piece = [UInt8](repeating: 0, count: 65_536)
        while !Self.isWhole(text) {
            let count = read(client, &piece, piece.count)
            guard count > 0 else { return }
            text += String(decoding: piece.prefix(count), as: UTF8.self)
        }
        let words = text.split(separator: " ")
        let body = text.range(of: "\r\n\r\n").map { String(text[$0.upperBound...]) } ?? ""
        let (status, answer) = state.withLock { state in
            Self.answer(String(words[0]), String(words[1]), body, &state)
        }
        let reply = "HTTP/1.1 \(status) Reply\r\nContent-Length: \(answer.utf8.count)\r\n"
            + "Content-Type: application/json\r\nConnection: close\r\n\r\n\(answer)"
        _ = reply.withCString { send(client, $0, strlen($0), Int32(MSG_NOSIGNAL)) }
    }

    private static func isWhole(_ text: String) -> Bool {
        guard let end = text.range(of: "\r\n\r\n") else { return false }
        let length = text.lowercased().components(separatedBy: "content-length: ").dropFirst().first
            .flatMap { Int($0.prefix { $0.isNumber }) } ?? 0
        return text[end.upperBound...].utf8.count >= length
    }

    private static func answer(
        _ method: String, _ path: String, _ body: String, _ state: inout State
    ) -> (Int, String) {
        state.requests.append("\(method) \(path)")
        guard state.isManager else {
            return path == "/info"
                ? (200, #"{"Swarm":{"NodeID":"\#(state.here)","ControlAvailable":false}}"#)
                : (503, #"{"message":"This node is not a swarm manager."}"#)
        }
        switch (method, path) {
        case ("GET", "/info"):
            return (200, #"{"Swarm":{"NodeID":"\#(state.here)","ControlAvailable":true}}"#)
        case ("GET", "/nodes"): return (200, json(state.nodes.sorted { $0.key < $1.key }.map(listed)))
        case ("POST", _): return update(path, body, &state)
        default: return (404, #"{"message":"page not found"}"#)
        }
    }

    private static func listed(_ id: String, _ node: Node) -> [String: Any] {
        var listed: [String: Any] = [
            "ID": id, "Version": ["Index": node.version],
            "Spec": [
                "Labels": node.labels, "Role": node.manager == nil ? "worker" : "manager",
                "Availability": node.availability,
            ] as [String: Any],
            "Description": ["Hostname": node.hostname], "Status": ["Addr": node.address],
        ]
        if let manager = node.manager { listed["ManagerStatus"] = ["Addr": manager] }
        return listed
    }

    private static func update(
        _ path: String, _ body: String, _ state: inout State
    ) -> (Int, String) {
        if let change = state.beforeUpdate {
            state.beforeUpdate = nil
            change(&state)
        }
        // /nodes/ID/update?version=N
        let parts = path.split { "/?=".contains($0) }.map(String.init)
        guard parts.count == 5, parts[2] == "update", var node = state.nodes[parts[1]] else {
            return (404, #"{"message":"no such node"}"#)
        }
        guard parts[4] == "\(node.version)" else {
            return (500, #"{"message":"rpc error: code = Unknown desc = update out of sequence"}"#)
        }
        guard let spec = try? JSONSerialization.jsonObject(with: Data(body.utf8)) as? [String: Any],
            let availability = spec["Availability"] as? String, spec["Role"] is String
        else { return (400, #"{"message":"invalid node spec"}"#) }
        node.labels = spec["Labels"] as? [String: String] ?? [:]
        node.availability = availability
        node.version += 1
        state.nodes[parts[1]] = node
        return (200, "")
    }

    private static func json(_ value: Any) -> String {
        String(decoding: try! JSONSerialization.data(withJSONObject: value), as: UTF8.self)
    }
}
