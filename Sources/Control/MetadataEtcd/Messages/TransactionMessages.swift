import FoundationEssentials
import Metadata

struct TxnRequest: Encodable, Sendable {
    var compare: [CompareMessage]
    var success: [RequestOp]
    var failure: [RequestOp]
}

/// One comparison: of a key, or of every key in a range (an empty range counts as one absent key).
struct CompareMessage: Encodable, Sendable {
    var range: KeyRange
    var target: Transaction.Comparison.Target
    var relation: Transaction.Comparison.Relation

    enum CodingKeys: String, CodingKey {
        case key, target, result, value, version, lease
        case rangeEnd = "range_end"
        case createRevision = "create_revision"
        case modRevision = "mod_revision"
    }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(range.key, forKey: .key)
        try container.encodeIfPresent(range.rangeEnd, forKey: .rangeEnd)
        try container.encode(result, forKey: .result)
        func encode(_ name: String, _ number: Int64, _ key: CodingKeys) throws {
            try container.encode(name, forKey: .target)
            try container.encode(Int64Text(number), forKey: key)
        }
        switch target {
        case .value(let value):
            try container.encode("VALUE", forKey: .target)
            try container.encode(Data(value), forKey: .value)
        case .version(let version): try encode("VERSION", version, .version)
        case .createRevision(let revision):
            try encode("CREATE", revision.rawValue, .createRevision)
        case .modRevision(let revision): try encode("MOD", revision.rawValue, .modRevision)
        case .lease(let lease): try encode("LEASE", lease?.rawValue ?? 0, .lease)
        }
    }

    private var result: String {
        switch relation {
        case .equal: "EQUAL"
        case .notEqual: "NOT_EQUAL"
        case .greater: "GREATER"
        case .less: "LESS"
        }
    }
}

struct PutRequest: Encodable, Sendable {
    var key: Data
    var value: Data
    var lease: Int64Text?
}

enum RequestOp: Encodable, Sendable {
    case range(RangeRequest)
    case put(PutRequest)
    case delete(KeyRange)
    case txn(TxnRequest)

    private enum CodingKeys: String, CodingKey {
        case range = "request_range"
        case put = "request_put"
        case delete = "request_delete_range"
        case txn = "request_txn"
    }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        switch self {
        case .range(let request): try container.encode(request, forKey: .range)
        case .put(let request): try container.encode(request, forKey: .put)
        case .delete(let range):
            // A deletion has the fields of a range that has nothing but its bounds.
            try container.encode(RangeRequest(range: range), forKey: .delete)
        case .txn(let request): try container.encode(request, forKey: .txn)
        }
    }
}

struct TxnResponse: GatewayAnswer {
    var header: ResponseHeader?
    var succeeded: Bool?
    var responses: [ResponseOp]?
}

/// Exactly one of them.
struct ResponseOp: Decodable, Sendable {
    var range: RangeResponse?
    var delete: DeleteResponse?
    var txn: TxnResponse?

    struct DeleteResponse: Decodable, Sendable {
        var deleted: Int64Text?
    }

    enum CodingKeys: String, CodingKey {
        case range = "response_range"
        case delete = "response_delete_range"
        case txn = "response_txn"
    }
}
