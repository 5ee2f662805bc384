import EngineCommands
import Glibc
import Replication
import Ring
import Units
import WireFormat

/// Links from owners to replicas, here and elsewhere.
extension Loop {
    /// A new number for a link: what its replica knows it by.
    mutating func nextLink() -> LinkID {
        lastLink &+= 1
        return lastLink
    }

    mutating func openLink(_ index: Int, _ peer: PeerIndex) {
        let host = volumes[index]
        let record = host.pointee.machine!.pointee.record(of: peer)
        if record.node == shared.configuration.node {
            openLocalLink(index, peer, record.id)
            return
        }
        guard let address = addresses[record.node].flatMap(SocketOptions.address),
            !connections.isFull
        else { return linkFailed(index, peer) }
        let socket = SocketOptions.outgoing(from: shared.configuration.listen)
        if socket < 0 {
            log("connecting to node \(record.node): \(errnoText(-socket))")
            return linkFailed(index, peer)
        }
        let number = connect(socket, to: address, role: .ownerLink)
        connections[number].pointee.host = index
        connections[number].pointee.hostGeneration = volumes.generation(index)
        connections[number].pointee.peer = peer
        host.pointee.peers[peer] = PeerLink(
            kind: .remote, number: number, generation: connections.generation(number))
    }

    /// Begins a connection to another node.
    mutating func connect(_ socket: Int32, to address: sockaddr_in, role: Connection.Role) -> Int {
        SocketOptions.setForData(socket, giveUp: timing.giveUp)
        let number = connections.insert(Connection(socket: socket, role: role, state: .connecting))
        let connection = connections[number]
        connection.pointee.expectation = .helloReply
        connection.pointee.address.pointee = address
        connection.pointee.isSending = true
        let place = UnsafeRawPointer(connection.pointee.address)
            .assumingMemoryBound(to: sockaddr.self)
        ring.connect(
            socket, to: place, length: socklen_t(MemoryLayout<sockaddr_in>.size),
            tag: OperationTag(.connect, number, generation: connections.generation(number)))
        return number
    }

    mutating func connected(_ number: Int, _ result: Int32) {
        let connection = connections[number]
        connection.pointee.isSending = false
        if connection.pointee.state == .closing { return removeIfQuiet(number) }
        if result < 0 { return close(number, nil) }
        connection.pointee.state = .open
        var hello = myHello
        if connection.pointee.role == .ownerLink {
            let host = volumes[connection.pointee.host]
            let peer = connection.pointee.peer
            hello.volume = host.pointee.id
            hello.instance = host.pointee.instance
            hello.replica = host.pointee.machine!.pointee.record(of: peer).id
            hello.sizeBytes = host.pointee.sizeBytes
        }
        connection.pointee.append(FrameHeader.byteCount + HelloBody.byteCount) {
            HelloBody.encodeFrame(hello, to: $0)
        }
        markDirty(number)
        receive(number)
    }

    /// What this node says of itself; the volume's part is zero.
    var myHello: Hello {
        let mine = shared.configuration
        return Hello(
            cluster: mine.cluster, node: mine.node, incarnation: mine.incarnation, boot: mine.boot,
            volume: .zero, replica: .zero, instance: .zero, sizeBytes: 0)
    }

    private mutating func openLocalLink(_ index: Int, _ peer: PeerIndex, _ replica: ReplicaID) {
        let host = volumes[index]
        let key = LocalReplicaKey(volume: host.pointee.id, replica: replica)
        guard let number = replicaNumbers[key], replicas[number].pointee.isServed,
            replicas[number].pointee.local.sizeBytes == host.pointee.sizeBytes
        else {
            return linkFailed(index, peer)
        }
        let link = nextLink()
        host.pointee.peers[peer] = PeerLink(
            kind: .local, number: number, generation: replicas.generation(number), link: link)
        replicas[number].pointee.add(
            ReplicaLink(
                link: link, instance: host.pointee.instance, isLocal: true, number: index,
                generation: volumes.generation(index), peer: peer))
        wantOpen(number)
    }

    private mutating func linkFailed(_ index: Int, _ peer: PeerIndex) {
        volumes[index].pointee.machine!.pointee.linkDown(peer, now: now)
        markVolume(index)
    }

    // MARK: Greeted

    mutating func helloAnswered(
        _ number: Int, _ header: FrameHeader
    ) throws(FrameFault) -> ParseStep {
        let connection = connections[number]
        let answer = try HelloReplyBody.decode(header, connection.pointee.prefixBytes)
        connection.pointee.dropFrame(header)
        let host = volumes[connection.pointee.host]
        let peer = connection.pointee.peer
        let record = host.pointee.machine!.pointee.record(of: peer)
        switch answer {
        case .refused(let refusal, let text):
            close(
                number,
                "node \(record.node) refuses the owner of \(host.pointee.id): \(refusal), \(text)")
            return .closed
        case .accepted(let hello, let version):
            guard hello.cluster == shared.configuration.cluster, hello.node == record.node,
                hello.volume == host.pointee.id, hello.replica == record.id,
                hello.instance == host.pointee.instance
            else { throw .badHello }
            connection.pointee.hello = hello
            connection.pointee.version = version
            connection.pointee.expectation = .replies(
                version: version, volume: host.pointee.id, sizeBytes: host.pointee.sizeBytes)
            host.pointee.peers[peer].countsNode = true
            useNode(record.node)
            host.pointee.machine!.pointee.linkUp(
                peer, incarnation: hello.incarnation, boot: hello.boot, now: now)
            markVolume(connection.pointee.host)
            return .again
        }
    }

    /// A local replica is open and takes this owner's requests.
    mutating func localLinkUp(_ index: Int, _ peer: PeerIndex) {
        guard let machine = volumes[index].pointee.machine else { return }
        machine.pointee.linkUp(
            peer, incarnation: shared.configuration.incarnation, boot: shared.configuration.boot,
            now: now)
        markVolume(index)
    }

    // MARK: Replies

    mutating func replied(_ index: Int, _ peer: PeerIndex, _ reply: ReplicaReply) {
        if reply.kind == .list {
            return listed(index, peer, reply, UnsafeBufferPointer(start: nil, count: 0))
        }
        guard let machine = volumes[index].pointee.machine else { return }
        machine.pointee.replied(peer, reply, now: now)
        markVolume(index)
    }

    mutating func listed(
        _ index: Int, _ peer: PeerIndex, _ reply: ReplicaReply,
        _ entries: UnsafeBufferPointer<RegionEntry>
    ) {
        guard let machine = volumes[index].pointee.machine else { return }
        machine.pointee.listed(peer, reply, entries: entries, now: now)
        markVolume(index)
    }

    /// The slot that waits for the answer to a read.
    func readSlot(_ index: Int, _ id: UInt64) -> OwnerSlotContext? {
        let slot = Int(id & 0xFFFF)
        guard slot < ReplicationLimits.operationsMax else { return nil }
        let context = volumes[index].pointee.slots[slot]
        let isAwaited =
            context.readID == id && !context.memory.isNone && context.deferred == nil
        return isAwaited ? context : nil
    }

    /// A remote read's data is complete and matches its checksums, which a copy sends on.
    mutating func readArrived(_ number: Int, _ reply: ReplicaReply) {
        let connection = connections[number]
        let host = volumes[connection.pointee.host]
        let slot = OwnerSlot(reply.id & 0xFFFF)
        let context = host.pointee.slots + Int(slot)
        if context.pointee.readID == reply.id && context.pointee.piece < 0 {
            host.pointee.checksums(of: slot).copyMemory(
                from: connection.pointee.prefix,
                byteCount: BlockChecksums.byteCount(dataBytes: Int(context.pointee.range.length)))
            context.pointee.hasChecksums = true
        }
        replied(connection.pointee.host, connection.pointee.peer, reply)
    }

    // MARK: Ends

    /// The owner wants no more of the link.
    mutating func closeLink(_ index: Int, _ peer: PeerIndex) {
        let link = forgetLink(index, peer)
        switch link.kind {
        case .none: break
        case .remote: close(link.number, nil)
        case .local:
            guard let replica = replicas.find(link.number, generation: link.generation)
            else { return }
            replica.pointee.removeLink(link.link)
            replica.pointee.machine?.pointee.disconnected(link.link, now: now)
            closeIfIdle(link.number)
        }
    }

    private mutating func forgetLink(_ index: Int, _ peer: PeerIndex) -> PeerLink {
        let host = volumes[index]
        let link = host.pointee.peers[peer]
        host.pointee.peers[peer] = PeerLink()
        if link.countsNode, let hello = connections[link.number].pointee.hello {
            leaveNode(hello.node)
        }
        return link
    }

    mutating func ownerLinkClosed(_ number: Int) {
        let connection = connections[number]
        let index = connection.pointee.host
        let peer = connection.pointee.peer
        guard let host = volumes.find(index, generation: connection.pointee.hostGeneration),
            host.pointee.peers[peer].kind == .remote, host.pointee.peers[peer].number == number
        else { return }
        _ = forgetLink(index, peer)
        guard let machine = host.pointee.machine else { return }
        machine.pointee.linkDown(peer, now: now)
        markVolume(index)
    }

    /// The local replica has closed the link.
    mutating func localLinkDown(_ index: Int, _ peer: PeerIndex, _ link: LinkID) {
        let host = volumes[index]
        guard host.pointee.peers[peer].kind == .local, host.pointee.peers[peer].link == link else {
            return
        }
        _ = forgetLink(index, peer)
        guard let machine = host.pointee.machine else { return }
        machine.pointee.linkDown(peer, now: now)
        markVolume(index)
    }
}
