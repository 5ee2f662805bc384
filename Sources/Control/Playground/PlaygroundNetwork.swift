/// Where a playground's nodes and etcd members have their addresses.
enum PlaygroundNetwork: Equatable, Sendable {
    /// 127.77.N.0 of the machine's own loopback device: no two playgrounds share an N.
    case loopback(Int)
    /// 10.77.0.0/24 on a bridge that only the playground's own network namespaces reach: every
    /// playground has all of it.
    case bridged

    /// Of the bridged network: RFC 1918, with room for all nodes.
    static let prefixLength = 24

    func address(ofNode number: Int) -> String {
        switch self {
        case .loopback(let network): "127.77.\(network).\(number)"
        case .bridged: "10.77.0.\(number)"
        }
    }

    /// A member has addresses above those of the nodes, or the address of the node it lives in.
    func address(ofMember number: Int) -> String {
        switch self {
        case .loopback(let network): "127.77.\(network).\(200 + number)"
        case .bridged: address(ofNode: number)
        }
    }
}
