import API

/// What a person asks of `up`; nil, or false, where nothing was said.
public struct PlaygroundSettings: Equatable, Sendable {
    public var nodes: Int?
    /// As `ciod --engine` takes it.
    public var engine: String?
    /// Seconds.
    public var rebuildDelay: Int?
    public var liveness: Int?
    public var etcd = false
    public var namespaces = false

    static let nodesDefault = 4

    public init(
        nodes: Int? = nil, engine: String? = nil, rebuildDelay: Int? = nil, liveness: Int? = nil,
        etcd: Bool = false, namespaces: Bool = false
    ) {
        self.nodes = nodes
        self.engine = engine
        self.rebuildDelay = rebuildDelay
        self.liveness = liveness
        self.etcd = etcd
        self.namespaces = namespaces
    }

    /// A playground of these, whose network is not chosen yet.
    func plan(_ what: String) throws(APIError) -> PlaygroundPlan {
        let nodes = nodes ?? Self.nodesDefault
        guard !(etcd && namespaces) || nodes >= PlaygroundMember.count else {
            throw APIError(
                what: what,
                why: "\(PlaygroundMember.count) etcd members live in as many nodes' namespaces,"
                    + " and there are only \(nodes)",
                next: "ask for more --nodes, or leave out --etcd or --namespaces")
        }
        return PlaygroundPlan(
            network: 0, nodes: nodes, engine: engine, rebuildDelay: rebuildDelay,
            liveness: liveness, etcdMembers: etcd ? PlaygroundMember.count : nil,
            hasNamespaces: namespaces ? true : nil)
    }

    /// Whether a playground is as they say.
    func fit(_ plan: PlaygroundPlan) -> Bool {
        nodes ?? plan.nodes == plan.nodes && engine ?? plan.engine == plan.engine
            && rebuildDelay ?? plan.rebuildDelay == plan.rebuildDelay
            && liveness ?? plan.liveness == plan.liveness
            && (!etcd || plan.etcdMembers != nil)
            && (!namespaces || plan.addresses == .bridged)
    }
}
