/// A node of Docker's Swarm, as far as it matters here: `GET /nodes` of the Engine API.
struct SwarmNode: Decodable, Equatable, Sendable {
    var id: String
    /// A change names the version that it was made from, and is refused when that is an old one.
    var version: UInt64
    /// What the operator wants of it. Every change replaces it as a whole.
    var spec: JSONValue
    var hostname: String?
    /// Where others reach it: an IP address, that of a manager with a port.
    var addresses: Set<String>

    init(from decoder: any Decoder) throws {
        let node = try JSONValue(from: decoder)
        guard let id = node["ID"]?.text, !id.isEmpty, let spec = node["Spec"],
            case .whole(let version)? = node["Version"]?["Index"], version >= 0
        else {
            throw DecodingError.dataCorrupted(DecodingError.Context(
                codingPath: decoder.codingPath, debugDescription: "no node of a Swarm"))
        }
        self.id = id
        self.version = UInt64(version)
        self.spec = spec
        hostname = node["Description"]?["Hostname"]?.text
        let manager = node["ManagerStatus"]?["Addr"]?.text.map { address in
            String(address[..<(address.lastIndex(of: ":") ?? address.endIndex)])
        }
        addresses = Set([node["Status"]?["Addr"]?.text, manager].compactMap { $0 })
    }

    /// The label that placement constraints go by: `node.labels.cio==true`.
    static let label = "cio"

    var label: String? { spec["Labels"]?[Self.label]?.text }

    /// The same specification but for that one label.
    func spec(labelled value: Bool) -> JSONValue {
        guard case .object(var fields) = spec else { return spec }
        var labels: [String: JSONValue] = [:]
        if case .object(let present)? = fields["Labels"] { labels = present }
        labels[Self.label] = .text(value ? "true" : "false")
        fields["Labels"] = .object(labels)
        return .object(fields)
    }

    /// `node-3` of `node-3.example.org`.
    var shortHostname: String? {
        hostname?.split(separator: ".").first.map { $0.lowercased() }
    }
}
