import FoundationEssentials
import Metadata

// Messages of etcd's v3 API, as its JSON gateway takes them: fields by their names in rpc.proto,
// bytes in base64 (which is what `Data` becomes), numbers in strings, what is zero left out.

/// In every answer: who gave it, and at which revision.
struct ResponseHeader: Decodable, Sendable {
    var cluster: UInt64Text?
    var member: UInt64Text?
    var revision: Int64Text?
    var term: UInt64Text?

    enum CodingKeys: String, CodingKey {
        case cluster = "cluster_id"
        case member = "member_id"
        case revision
        case term = "raft_term"
    }

    var storeRevision: Revision { Revision(rawValue: revision?.value ?? 0) }
}

/// An answer that says whose it is.
protocol GatewayAnswer: Decodable, Sendable {
    var header: ResponseHeader? { get }
}

/// The keys from `key` on, below `rangeEnd`; only `key` itself without one.
struct KeyRange: Sendable, Equatable {
    let key: Data
    let rangeEnd: Data?

    init(key: String) {
        self.key = Data(key.utf8)
        rangeEnd = nil
    }

    init(slot key: Data) {
        self.key = key
        rangeEnd = nil
    }

    /// The byte 0xFF occurs in no UTF-8: everything below it is a string, and what this store keeps
    /// for itself lies above. etcd has no empty key, and "\0" is the lowest that it has.
    init(prefix: String) {
        key = prefix.isEmpty ? Data([0]) : Data(prefix.utf8)
        rangeEnd = Data(KeyBytes(prefix).endOfPrefix?.bytes ?? [0xFF])
    }

    /// The rest of this range, after `last`.
    func rest(after last: Data) -> KeyRange { KeyRange(from: last + [0], to: rangeEnd) }

    private init(from key: Data, to rangeEnd: Data?) {
        self.key = key
        self.rangeEnd = rangeEnd
    }
}

struct RangeRequest: Encodable, Sendable {
    var range: KeyRange
    var limit: Int64?
    /// As of then; nil for now.
    var revision: Revision?
    /// Answered by the member from what it has, without asking the others.
    var isSerializable = false
    var isKeysOnly = false

    enum CodingKeys: String, CodingKey {
        case key, limit, revision, serializable
        case rangeEnd = "range_end"
        case keysOnly = "keys_only"
    }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(range.key, forKey: .key)
        try container.encodeIfPresent(range.rangeEnd, forKey: .rangeEnd)
        try container.encodeIfPresent(limit.map { Int64Text($0) }, forKey: .limit)
        try container.encodeIfPresent(
            revision.map { Int64Text($0.rawValue) }, forKey: .revision)
        if isSerializable { try container.encode(true, forKey: .serializable) }
        if isKeysOnly { try container.encode(true, forKey: .keysOnly) }
    }
}

struct RangeResponse: GatewayAnswer {
    var header: ResponseHeader?
    var kvs: [KeyValue]?
    var more: Bool?

    var entries: [Entry] { (kvs ?? []).map(\.entry) }
}

struct KeyValue: Decodable, Sendable {
    var key: Data
    var createRevision: Int64Text?
    var modRevision: Int64Text?
    var version: Int64Text?
    var value: Data?
    var lease: Int64Text?

    enum CodingKeys: String, CodingKey {
        case key, version, value, lease
        case createRevision = "create_revision"
        case modRevision = "mod_revision"
    }

    var entry: Entry {
        Entry(
            key: String(decoding: key, as: UTF8.self), value: Array(value ?? Data()),
            createRevision: Revision(rawValue: createRevision?.value ?? 0),
            modRevision: Revision(rawValue: modRevision?.value ?? 0),
            version: version?.value ?? 0, lease: lease.map { LeaseID(rawValue: $0.value) })
    }
}
