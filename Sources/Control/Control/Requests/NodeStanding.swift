import Records

/// A node of the cluster, as this one knows it: without asking anybody.
public struct NodeStanding: Equatable, Sendable {
    public var name: String
    /// IPv4, where other nodes reach it.
    public var address: String
    public var isAlive: Bool
    /// It is this node.
    public var isHere: Bool

    public init(name: String, address: String, isAlive: Bool, isHere: Bool) {
        self.name = name
        self.address = address
        self.isAlive = isAlive
        self.isHere = isHere
    }
}

extension Requests {
    /// Every node that the records name, in the order in which they joined.
    public func nodeStandings() -> [NodeStanding] {
        let view = context.view
        return view.nodesByNumber.map { node in
            NodeStanding(
                name: node.name, address: node.address, isAlive: view.isAlive(node.id),
                isHere: node.id == context.node)
        }
    }
}
