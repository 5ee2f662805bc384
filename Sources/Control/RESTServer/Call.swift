import Control

/// One request, taken apart.
struct Call: Sendable {
    var endpoint: Endpoint
    /// The volume or node in the path.
    var name: String
    var query: [String: String]
    var body: [UInt8]

    /// The endpoint for a method, path and query as they came; throws what the client should
    /// know.
    init(method: String, path: String, query: String?) throws {
        let what = "\(method) \(path)"
        let matching = Endpoint.allCases.filter { $0.match(path) != nil }
        guard !matching.isEmpty else {
            throw RequestError(
                .notFound, what, why: "there is no such path",
                next: "docs/api.yaml describes those there are")
        }
        guard let endpoint = matching.first(where: { $0.method == method }) else {
            let allowed = matching.map(\.method).joined(separator: ", ")
            throw RequestError(
                .notAllowed, what, why: "the method \(method) is not allowed; \(allowed) is")
        }
        guard let name = Self.decoded(endpoint.match(path) ?? "", plusIsSpace: false) else {
            throw RequestError(.invalid, what, why: "the path is not percent-encoded UTF-8")
        }
        self.endpoint = endpoint
        self.name = name
        self.query = try Self.items(query ?? "", of: endpoint, what)
        body = []
    }

    private static func items(
        _ query: String, of endpoint: Endpoint, _ what: String
    ) throws -> [String: String] {
        var items: [String: String] = [:]
        for item in query.split(separator: "&") {
            let parts = item.split(
                separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard let name = decoded(parts[0], plusIsSpace: true),
                let value = decoded(parts.count > 1 ? parts[1] : "", plusIsSpace: true)
            else {
                throw RequestError(.invalid, what, why: "the query is not percent-encoded UTF-8")
            }
            guard endpoint.queryNames.contains(name) else {
                throw RequestError(.invalid, what, why: "the query has no \(name)")
            }
            guard items.updateValue(value, forKey: name) == nil else {
                throw RequestError(.invalid, what, why: "the query has \(name) twice")
            }
        }
        return items
    }

    /// RFC 3986, 2.1; nil for what is no percent-encoding of UTF-8.
    static func decoded(_ text: some StringProtocol, plusIsSpace: Bool) -> String? {
        var bytes: [UInt8] = []
        var rest = Array(text.utf8)[...]
        while let byte = rest.popFirst() {
            switch byte {
            case UInt8(ascii: "%"):
                let digits = String(decoding: rest.prefix(2), as: UTF8.self)
                guard digits.utf8.count == 2, digits.utf8.first != UInt8(ascii: "+"),
                    digits.utf8.first != UInt8(ascii: "-"), let value = UInt8(digits, radix: 16)
                else { return nil }
                bytes.append(value)
                rest = rest.dropFirst(2)
            case UInt8(ascii: "+") where plusIsSpace: bytes.append(UInt8(ascii: " "))
            default: bytes.append(byte)
            }
        }
        return String(validating: bytes, as: UTF8.self)
    }
}
