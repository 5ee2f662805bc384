struct LeaseGrantRequest: Encodable, Sendable {
    var ttl: Int64Text
    var id: Int64Text

    enum CodingKeys: String, CodingKey {
        case ttl = "TTL"
        case id = "ID"
    }
}

struct LeaseRequest: Encodable, Sendable {
    var id: Int64Text

    enum CodingKeys: String, CodingKey { case id = "ID" }
}

struct LeaseGrantResponse: GatewayAnswer {
    var header: ResponseHeader?
    /// Seconds, at least as many as were asked for.
    var ttl: Int64Text?

    enum CodingKeys: String, CodingKey {
        case header
        case ttl = "TTL"
    }
}

/// One message of the stream that a keep-alive is in the API.
struct KeepAliveResponse: GatewayAnswer {
    struct Result: Decodable, Sendable {
        var header: ResponseHeader?
        /// Seconds; zero or missing when there is no such lease.
        var ttl: Int64Text?

        enum CodingKeys: String, CodingKey {
            case header
            case ttl = "TTL"
        }
    }

    var result: Result?

    var header: ResponseHeader? { result?.header }
}

/// An answer that says no more than that it was done.
struct HeaderResponse: GatewayAnswer {
    var header: ResponseHeader?
}
