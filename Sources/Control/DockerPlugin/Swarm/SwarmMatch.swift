import Control

/// Which node of cio is which node of the Swarm.
///
/// The engine that is asked says which node it is itself: that is this node, for sure. The others
/// are found by the address at which nodes reach each other, or, where a cluster uses a network of
/// its own, by the machine's name, if it is one machine's only.
struct SwarmMatch {
    /// The Swarm's id of the engine that is asked.
    let here: String
    let nodes: [SwarmNode]
    let members: [NodeStanding]

    func member(of node: SwarmNode) -> NodeStanding? {
        if node.id == here { return members.first(where: \.isHere) }
        let others = members.filter { !$0.isHere }
        let reached = others.filter { member in
            !Self.isLoopback(member.address) && node.addresses.contains(member.address)
        }
        if reached.count == 1 { return reached[0] }
        guard let name = node.shortHostname,
            nodes.count(where: { $0.shortHostname == name }) == 1
        else { return nil }
        let named = others.filter { $0.name.lowercased() == name }
        return named.count == 1 ? named[0] : nil
    }

    private static func isLoopback(_ address: String) -> Bool { address.hasPrefix("127.") }
}
