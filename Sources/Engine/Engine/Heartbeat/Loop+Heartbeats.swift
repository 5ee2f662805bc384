import EngineCommands
import Glibc
import Replication
import Units
import WireFormat

/// A node with which volumes are shared.
struct NodeLiveness {
    let node: NodeID
    /// Links from owners here, on all loops.
    var uses = 0
    var connection = -1
    /// Made by this node, which closes it when it needs it no more.
    var isOurs = false
    var heardAt: Instant
    var isSilent = false
}

/// One heartbeat per pair of nodes that share volumes in use: it beats both ways on one
/// connection, which loop 0 keeps. Its silence tells of a dead node or network while every link
/// is idle; nobody beats where nothing is shared.
extension Loop {
    private func row(of node: NodeID) -> Int? { nodes.firstIndex { $0.node == node } }

    private mutating func makeRow(_ node: NodeID) -> Int {
        if let row = row(of: node) { return row }
        nodes.append(NodeLiveness(node: node, heardAt: now))
        return nodes.count - 1
    }

    /// A link to the node is up.
    mutating func useNode(_ node: NodeID) {
        if number != 0 {
            shared.send(.nodeIsUsed(node), to: 0)
            return
        }
        let row = makeRow(node)
        nodes[row].uses += 1
        if nodes[row].uses == 1 { nodes[row].heardAt = max(nodes[row].heardAt, now) }
        beatSoon()
    }

    mutating func leaveNode(_ node: NodeID) {
        if number != 0 {
            shared.send(.nodeIsUnused(node), to: 0)
        } else if let row = row(of: node) {
            nodes[row].uses -= 1
        }
    }

    private mutating func beatSoon() {
        if heartsBeat || isStopping { return }
        heartsBeat = true
        timers.add(
            Timer(
                instant: now + shared.configuration.heartbeat, kind: .heartbeats, index: 0,
                generation: 0))
    }

    // MARK: Beating

    mutating func beatHearts() {
        heartsBeat = false
        if isStopping { return }
        for row in nodes.indices { beat(row) }
        nodes.removeAll { $0.uses == 0 && $0.connection < 0 && !$0.isSilent }
        if !nodes.isEmpty { beatSoon() }
    }

    private mutating func beat(_ row: Int) {
        let node = nodes[row].node
        let number = nodes[row].connection
        if nodes[row].uses == 0 && nodes[row].isOurs {
            close(number, nil)
            return
        }
        if number >= 0 {
            let connection = connections[number]
            if connection.pointee.state == .open && connection.pointee.hello != nil {
                let header = FrameHeader(.heartbeat, version: connection.pointee.version)
                connection.pointee.append(FrameHeader.byteCount) {
                    header.encode(to: $0)
                    return FrameHeader.byteCount
                }
                markDirty(number)
            }
        } else if nodes[row].uses > 0 {
            connectHeartbeat(row)
        }
        guard nodes[row].uses > 0, !nodes[row].isSilent,
            nodes[row].heardAt + timing.giveUp < now
        else { return }
        nodes[row].isSilent = true
        report(.nodeSilent(node))
        if nodes[row].connection >= 0 { close(nodes[row].connection, "node \(node) is silent") }
        closeLinks(to: node)
        for loop in shared.mailboxes.indices where loop != self.number {
            shared.send(.nodeIsSilent(node), to: loop)
        }
    }

    private mutating func connectHeartbeat(_ row: Int) {
        guard let address = addresses[nodes[row].node].flatMap(SocketOptions.address),
            !connections.isFull
        else { return }
        let socket = SocketOptions.outgoing(from: shared.configuration.listen)
        if socket < 0 { return }
        nodes[row].connection = connect(socket, to: address, role: .heartbeat)
        nodes[row].isOurs = true
    }

    // MARK: Arrivals

    mutating func greetNode(_ index: Int, _ hello: Hello, _ version: UInt16) -> ParseStep {
        let connection = connections[index]
        connection.pointee.append(FrameHeader.byteCount + HelloReplyBody.byteCount) {
            HelloReplyBody.encodeFrame(.accepted(myHello, version: version), to: $0)
        }
        markDirty(index)
        connection.pointee.role = .heartbeat
        connection.pointee.hello = hello
        connection.pointee.version = version
        connection.pointee.expectation = .heartbeats(version: version)
        let row = makeRow(hello.node)
        if nodes[row].connection < 0 {
            nodes[row].connection = index
            nodes[row].isOurs = false
        }
        heartbeatArrived(index)
        beatSoon()
        return .again
    }

    mutating func heartbeatAnswered(
        _ index: Int, _ header: FrameHeader
    ) throws(FrameFault) -> ParseStep {
        let connection = connections[index]
        let answer = try HelloReplyBody.decode(header, connection.pointee.prefixBytes)
        connection.pointee.dropFrame(header)
        guard case .accepted(let hello, let version) = answer,
            let row = nodes.firstIndex(where: { $0.connection == index }),
            hello.node == nodes[row].node, hello.cluster == shared.configuration.cluster
        else { throw .badHello }
        connection.pointee.hello = hello
        connection.pointee.version = version
        connection.pointee.expectation = .heartbeats(version: version)
        heartbeatArrived(index)
        return .again
    }

    mutating func heartbeatArrived(_ index: Int) {
        guard let hello = connections[index].pointee.hello, let row = row(of: hello.node)
        else { return }
        nodes[row].heardAt = now
        guard nodes[row].isSilent else { return }
        nodes[row].isSilent = false
        report(.nodeHeard(hello.node))
    }

    mutating func heartbeatClosed(_ index: Int) {
        for row in nodes.indices where nodes[row].connection == index {
            nodes[row].connection = -1
            nodes[row].isOurs = false
        }
    }

    // MARK: Silence

    /// The node is silent: links to it are down, as if they had been closed.
    mutating func closeLinks(to node: NodeID) {
        for index in 0..<connections.end {
            guard let connection = connections.find(index),
                connection.pointee.role == .ownerLink || connection.pointee.role == .replicaLink,
                connection.pointee.hello?.node == node
            else { continue }
            close(index, nil)
        }
    }
}
