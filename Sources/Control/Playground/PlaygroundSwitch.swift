import API
import Glibc

/// What connects the nodes of a playground that have network namespaces of their own: a bridge in
/// a namespace of its own, with a port for each node's cable.
///
/// ```
///    namespace of the switch          namespaces of v1
///    bridge cio0 ── port v1 ═════════ eth0 10.77.0.1
///             └──── port v2 ════ …
/// ```
///
/// A port that is down is a cable that is unplugged: the node's device has no carrier, and what
/// the node sends is lost.
struct PlaygroundSwitch: Equatable, Sendable {
    let namespaces: Namespaces

    private static let bridge = "cio0"
    private static let device = "eth0"

    /// Makes the bridge where it is missing.
    func prepare(_ what: String) throws(APIError) {
        if !namespaces.networkDevices.contains(Self.bridge) {
            try namespaces.ip("link add \(Self.bridge) type bridge", what)
        }
        try namespaces.ip("link set \(Self.bridge) up", what)
    }

    /// Connects a node that is not connected yet, and sets its cable as it has to be.
    func connect(_ node: PlaygroundNode, _ inside: Namespaces, _ what: String) throws(APIError) {
        if !inside.networkDevices.contains(Self.device) {
            try disconnect(node, what)
            // Made where they belong: the machine's own namespace never has one of them.
            try namespaces.ip(
                "link add \(node.name) type veth peer name \(Self.device)"
                    + " address \(node.hardwareAddress) netns \(inside.keeper.pid)", what)
        }
        try namespaces.ip("link set \(node.name) master \(Self.bridge)", what)
        let address = "\(node.address)/\(PlaygroundNetwork.prefixLength)"
        try inside.ip("link set lo up", what)
        try inside.ip("address replace \(address) dev \(Self.device)", what)
        try inside.ip("link set \(Self.device) up", what)
        try plug(node, isPlugged: !node.isCut, what)
    }

    /// Nothing happens where the node has no port.
    func plug(_ node: PlaygroundNode, isPlugged: Bool, _ what: String) throws(APIError) {
        try change(node, "set \(node.name) \(isPlugged ? "up" : "down")", what)
    }

    /// Takes the cable away, both its ends. The kernel does it as well when the node's namespace
    /// is gone, but some time later.
    func disconnect(_ node: PlaygroundNode, _ what: String) throws(APIError) {
        try change(node, "delete \(node.name)", what)
    }

    /// The port may go away meanwhile, with the namespace of a node that has just died.
    private func change(
        _ node: PlaygroundNode, _ action: String, _ what: String
    ) throws(APIError) {
        guard namespaces.networkDevices.contains(node.name) else { return }
        do throws(APIError) { try namespaces.ip("link \(action)", what) } catch {
            if namespaces.networkDevices.contains(node.name) { throw error }
        }
    }
}
