/// What a metadata store says of itself, for people: what it is, and whether it answers now.
public struct StoreStanding: Equatable, Sendable {
    public enum Kind: String, Sendable {
        case memory, sqlite, etcd
    }

    /// One place where it is asked.
    public struct Endpoint: Equatable, Sendable {
        /// A path, or a URL.
        public var address: String
        /// It answers.
        public var isReachable: Bool
        /// What it is among its like, where it has any: `leader`, `follower`, and `electing`
        /// while it knows of no leader.
        public var role: String?

        public init(address: String, isReachable: Bool, role: String? = nil) {
            self.address = address
            self.isReachable = isReachable
            self.role = role
        }
    }

    public var kind: Kind
    /// Calls are answered: of several members, enough to decide.
    public var isReachable: Bool
    /// In the order in which this node asks them.
    public var endpoints: [Endpoint]

    public init(kind: Kind, isReachable: Bool, endpoints: [Endpoint]) {
        self.kind = kind
        self.isReachable = isReachable
        self.endpoints = endpoints
    }
}
