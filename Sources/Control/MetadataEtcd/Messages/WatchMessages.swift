import Metadata

struct WatchRequest: Encodable, Sendable {
    struct Create: Encodable, Sendable {
        var range: KeyRange
        var start: Revision

        enum CodingKeys: String, CodingKey {
            case key, fragment
            case rangeEnd = "range_end"
            case startRevision = "start_revision"
        }

        func encode(to encoder: any Encoder) throws {
            var container = encoder.container(keyedBy: CodingKeys.self)
            try container.encode(range.key, forKey: .key)
            try container.encodeIfPresent(range.rangeEnd, forKey: .rangeEnd)
            try container.encode(Int64Text(start.rawValue), forKey: .startRevision)
            try container.encode(true, forKey: .fragment)
        }
    }

    var create: Create

    enum CodingKeys: String, CodingKey { case create = "create_request" }
}

/// One line of a watch.
struct WatchLine: Decodable, Sendable {
    var result: WatchResponse?
    var error: GatewayRefusal?
}

struct WatchResponse: Decodable, Sendable {
    var header: ResponseHeader?
    var created: Bool?
    var canceled: Bool?
    var compactRevision: Int64Text?
    var cancelReason: String?
    /// More of the same revisions follows in the next message.
    var fragment: Bool?
    var events: [WatchEvent]?

    enum CodingKeys: String, CodingKey {
        case header, created, canceled, fragment, events
        case compactRevision = "compact_revision"
        case cancelReason = "cancel_reason"
    }
}

struct WatchEvent: Decodable, Sendable {
    /// `DELETE`, or missing for a put.
    var type: String?
    var kv: KeyValue?

    /// Nil for what is no event: without a key.
    var change: Change? {
        guard let entry = kv?.entry else { return nil }
        return type == "DELETE"
            ? .delete(key: entry.key, revision: entry.modRevision) : .put(entry)
    }
}
