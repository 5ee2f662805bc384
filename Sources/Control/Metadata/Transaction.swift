/// If all comparisons hold, do these operations, otherwise those; in one step.
///
/// Operations are performed in order and see what earlier ones did. No key may be written twice by
/// one list of operations (etcd forbids it); see `validate` for this and the limits.
public struct Transaction: Equatable, Sendable {
    public var comparisons: [Comparison]
    public var thenOperations: [Operation]
    public var elseOperations: [Operation]

    public init(
        if comparisons: [Comparison] = [], then: [Operation], else otherwise: [Operation] = []
    ) {
        self.comparisons = comparisons
        self.thenOperations = then
        self.elseOperations = otherwise
    }
}

extension Transaction {
    /// A statement about one key. An absent key has version, revisions and lease 0 and no value: a
    /// comparison of its value never holds, whatever the relation.
    public struct Comparison: Equatable, Sendable {
        public enum Target: Equatable, Sendable {
            case value([UInt8])
            case version(Int64)
            case createRevision(Revision)
            case modRevision(Revision)
            case lease(LeaseID?)
        }

        /// How what is stored stands to the given value; byte strings in the order of their bytes.
        public enum Relation: Equatable, Sendable {
            case equal, notEqual, greater, less
        }

        public let key: String
        public let target: Target
        public let relation: Relation

        public init(key: String, target: Target, relation: Relation = .equal) {
            self.key = key
            self.target = target
            self.relation = relation
        }

        public static func absent(_ key: String) -> Comparison {
            Comparison(key: key, target: .version(0))
        }

        public static func present(_ key: String) -> Comparison {
            Comparison(key: key, target: .version(0), relation: .greater)
        }

        public static func value(of key: String, equals value: [UInt8]) -> Comparison {
            Comparison(key: key, target: .value(value))
        }

        public static func modRevision(of key: String, equals revision: Revision) -> Comparison {
            Comparison(key: key, target: .modRevision(revision))
        }

        /// The key is as it was when `entry` was read; nil stands for "absent".
        public static func unchanged(_ key: String, since entry: Entry?) -> Comparison {
            entry.map { .modRevision(of: key, equals: $0.modRevision) } ?? .absent(key)
        }
    }

    public enum Operation: Equatable, Sendable {
        case get(String)
        case range(prefix: String)
        /// Writes the value. Without a lease the key is detached from the lease it had.
        case put(String, [UInt8], lease: LeaseID?)
        case delete(String)
        case deletePrefix(String)

        public static func put(_ key: String, _ value: [UInt8]) -> Operation {
            .put(key, value, lease: nil)
        }
    }

    /// The answer to the operation of the same index.
    public enum Response: Equatable, Sendable {
        case entry(Entry?)
        case entries([Entry])
        case put
        /// The number of keys deleted.
        case deleted(Int)
    }
}

/// What a transaction did.
public struct TransactionResult: Equatable, Sendable {
    /// Whether the comparisons held: which list of operations was performed.
    public let succeeded: Bool
    /// The store's revision after the transaction. What the transaction put has it as its
    /// `modRevision`. One that changed nothing leaves it where it was.
    public let revision: Revision
    public let responses: [Transaction.Response]

    public init(succeeded: Bool, revision: Revision, responses: [Transaction.Response]) {
        self.succeeded = succeeded
        self.revision = revision
        self.responses = responses
    }
}
