import FoundationEssentials

/// What one member says of itself and its cluster.
public struct EtcdMemberStatus: Sendable, Equatable {
    /// `3.4.23`
    public var version: String
    /// Of all members, this one leads.
    public var isLeader: Bool
    /// It knows of a leader: a majority is there.
    public var hasLeader: Bool

    /// Asks the member; nil when it does not answer in that time.
    public static func ask(
        _ endpoint: EtcdEndpoint, within limit: Duration
    ) async -> EtcdMemberStatus? {
        await ask(base: "\(endpoint)", within: limit)
    }

    /// The same, of a member that listens on a unix socket.
    public static func ask(
        socket path: String, within limit: Duration
    ) async -> EtcdMemberStatus? {
        // RFC 3986: bytes of a path in the place of a host. More than needed may be encoded.
        let host = path.utf8.map { "%" + ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
        return await ask(base: "http+unix://\(host)", within: limit)
    }

    private static func ask(base: String, within limit: Duration) async -> EtcdMemberStatus? {
        let gateway = Gateway(connectTimeout: limit)
        let answer = await within(limit) {
            await Result { () async throws(AttemptFailure) in
                try await gateway.post("/v3/maintenance/status", Data("{}".utf8), to: base)
            }
        }
        await gateway.close()
        guard case .success((let body, true)) = answer,
            let status = try? JSONDecoder().decode(StatusResponse.self, from: body)
        else { return nil }
        let leader = status.leader?.value ?? 0
        return EtcdMemberStatus(
            version: status.version, isLeader: leader != 0 && leader == status.header.member?.value,
            hasLeader: leader != 0)
    }
}

private struct StatusResponse: Decodable {
    var header: ResponseHeader
    var version: String
    /// The leader's id; zero or missing when there is none.
    var leader: UInt64Text?
}
