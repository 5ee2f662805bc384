import DriveStore
import EngineCommands
import Glibc
import Replication
import Ring
import Units
import WireFormat

/// Replicas of this node: registered by control, opened for owners, closed when idle.
extension Loop {
    mutating func registerReplica(_ local: LocalReplica) {
        let key = LocalReplicaKey(volume: local.volume, replica: local.replica)
        if let number = replicaNumbers[key] {
            let host = replicas[number]
            if host.pointee.local == local && host.pointee.isServed { return }
            if host.pointee.isUnregistered { return }
            // A new place, size or try: once those who use it as it was have gone.
            host.pointee.successor = local
            return closeIfIdle(number)
        }
        if replicas.isFull { return }
        replicaNumbers[key] = replicas.insert(ReplicaHost(local))
    }

    mutating func unregisterReplica(_ volume: VolumeID, _ replica: ReplicaID) {
        guard let number = replicaNumbers[LocalReplicaKey(volume: volume, replica: replica)] else {
            report(.replicaClosed(volume, replica))
            return
        }
        replicas[number].pointee.isUnregistered = true
        dropLinks(number, .noReplica, "the replica is being closed")
        closeIfIdle(number)
    }

    // MARK: Hellos

    mutating func helloArrived(
        _ index: Int, _ header: FrameHeader
    ) throws(FrameFault) -> ParseStep {
        let connection = connections[index]
        let (hello, versions) = try HelloBody.decode(header, connection.pointee.prefixBytes)
        connection.pointee.dropFrame(header)
        guard hello.cluster == shared.configuration.cluster else {
            return refuse(index, .otherCluster, "another cluster")
        }
        guard let version = WireVersion.agreed(WireVersion.supported, versions) else {
            return refuse(index, .version, "no version in common")
        }
        if hello.isBetweenNodes { return greetNode(index, hello, version) }
        let home = shared.loop(of: hello.volume)
        if home == number {
            takeHello(index, hello, version)
            return connection.pointee.closesAfterSending ? .closed : .again
        }
        let copy = fcntl(connection.pointee.socket, F_DUPFD_CLOEXEC, 0)
        if copy < 0 { return refuse(index, .busy, "no descriptor") }
        let message = LoopMessage.adoptLink(socket: copy, hello, version: version)
        if !shared.send(message, to: home) { Glibc.close(copy) }
        close(index, nil)
        return .closed
    }

    /// Answers a hello with a refusal, and closes when that is sent.
    @discardableResult
    private mutating func refuse(
        _ index: Int, _ refusal: HelloRefusal, _ text: String
    ) -> ParseStep {
        let connection = connections[index]
        connection.pointee.append(FrameHeader.byteCount + HelloReplyBody.byteCount) {
            HelloReplyBody.encodeFrame(.refused(refusal, text: text), to: $0)
        }
        connection.pointee.closesAfterSending = true
        connection.pointee.isPaused = true
        markDirty(index)
        return .closed
    }

    mutating func adoptLink(_ socket: Int32, _ hello: Hello, _ version: UInt16) {
        if isStopping || connections.isFull {
            Glibc.close(socket)
            return
        }
        let index = connections.insert(Connection(socket: socket, role: .stranger, state: .open))
        takeHello(index, hello, version)
        if connections[index].pointee.state == .open { receive(index) }
    }

    private mutating func takeHello(_ index: Int, _ hello: Hello, _ version: UInt16) {
        let connection = connections[index]
        let key = LocalReplicaKey(volume: hello.volume, replica: hello.replica)
        guard let number = replicaNumbers[key], !replicas[number].pointee.isUnregistered,
            !isStopping
        else {
            refuse(index, .noReplica, "no such replica here")
            return
        }
        if replicas[number].pointee.state == .failed {
            refuse(index, .replicaFaulty, "the replica has failed")
            return
        }
        let size = replicas[number].pointee.local.sizeBytes
        guard hello.sizeBytes == size else {
            // It grows here soon, or the owner hears soon that it has grown.
            refuse(index, .busy, "the copy has \(size) bytes, the volume \(hello.sizeBytes)")
            return
        }
        connection.pointee.role = .awaitingReplica
        connection.pointee.hello = hello
        connection.pointee.version = version
        connection.pointee.host = number
        connection.pointee.hostGeneration = replicas.generation(number)
        connection.pointee.link = nextLink()
        replicas[number].pointee.add(
            ReplicaLink(
                link: connection.pointee.link, instance: hello.instance, isLocal: false,
                number: index, generation: connections.generation(index), peer: -1))
        wantOpen(number)
    }

    // MARK: Opening

    /// A link waits for the replica: it is opened, or takes the link at once.
    mutating func wantOpen(_ number: Int) {
        let host = replicas[number]
        host.pointee.idleSince = .distantFuture
        switch host.pointee.state {
        case .open: connectLinks(number)
        case .closed: open(number)
        case .opening: break
        case .failed: dropLinks(number, .replicaFaulty, "the replica has failed")
        }
    }

    private mutating func open(_ number: Int) {
        let host = replicas[number]
        host.pointee.state = .opening
        let local = host.pointee.local
        let expectation = ReplicaExpectation(
            cluster: shared.configuration.cluster, volume: local.volume, replica: local.replica,
            sizeBytes: local.sizeBytes)
        let job = ReplicaOpener.Job(
            directory: local.directory, expectation: expectation, loop: self.number,
            number: number, generation: replicas.generation(number))
        if shared.opener.open(job) { return }
        host.pointee.state = .closed
        dropLinks(number, .busy, "the node is stopping")
    }

    mutating func replicaOpened(_ number: Int, _ generation: UInt32, _ opening: ReplicaOpening) {
        guard let host = replicas.find(number, generation: generation),
            host.pointee.state == .opening
        else { return }
        let local = host.pointee.local
        guard let opened = opening.take() else {
            openingFailed(number, opening.failure!)
            return
        }
        host.pointee.triesToOpen = 0
        host.pointee.open(
            opened, boot: shared.configuration.boot, timing: timing, now: BootClock.now())
        report(.replicaOpened(local.volume, local.replica))
        connectLinks(number)
        fillChecksums(number)
        closeIfIdle(number)
    }

    private mutating func openingFailed(_ number: Int, _ error: DriveError) {
        let host = replicas[number]
        let local = host.pointee.local
        host.pointee.state = .closed
        if host.pointee.isUnregistered { return closeIfIdle(number) }
        dropLinks(number, .replicaFaulty, "\(error)")
        // The last requests of a process that was killed: owners try again.
        if case .inUse = error, host.pointee.triesToOpen < EngineLimits.openTriesQuiet {
            host.pointee.triesToOpen += 1
            return
        }
        host.pointee.triesToOpen = 0
        report(.replicaFailed(local.volume, local.replica, "\(error)"))
    }

    /// The machine hears of the links that it does not know yet.
    private mutating func connectLinks(_ number: Int) {
        let host = replicas[number]
        guard let machine = host.pointee.machine else { return }
        for place in host.pointee.links.indices where !host.pointee.links[place].isConnected {
            host.pointee.links[place].isConnected = true
            let link = host.pointee.links[place]
            machine.pointee.connected(link.link, instance: link.instance, now: now)
        }
        drainReplica(number)
    }

    mutating func answerHello(_ number: Int, _ id: LinkID) {
        guard let link = replicas[number].pointee.link(id) else { return }
        if link.isLocal { return localLinkUp(link.number, link.peer) }
        let connection = connections[link.number]
        let local = replicas[number].pointee.local
        var hello = myHello
        hello.volume = local.volume
        hello.replica = local.replica
        hello.instance = link.instance
        hello.sizeBytes = local.sizeBytes
        connection.pointee.append(FrameHeader.byteCount + HelloReplyBody.byteCount) {
            HelloReplyBody.encodeFrame(
                .accepted(hello, version: connection.pointee.version), to: $0)
        }
        connection.pointee.role = .replicaLink
        connection.pointee.expectation = .requests(
            version: connection.pointee.version, volume: local.volume, sizeBytes: local.sizeBytes)
        markDirty(link.number)
    }

    // MARK: Links' ends

    /// The machine wants no more of a link.
    mutating func closeReplicaLink(_ number: Int, _ id: LinkID) {
        guard let link = replicas[number].pointee.link(id) else { return }
        replicas[number].pointee.removeLink(id)
        if link.isLocal {
            localLinkDown(link.number, link.peer, id)
        } else {
            close(link.number, nil)
        }
    }

    private mutating func dropLinks(_ number: Int, _ refusal: HelloRefusal, _ text: String) {
        let host = replicas[number]
        let links = host.pointee.links
        host.pointee.links.removeAll(keepingCapacity: true)
        for link in links {
            host.pointee.machine?.pointee.disconnected(link.link, now: now)
            if link.isLocal {
                localLinkDown(link.number, link.peer, link.link)
            } else if connections[link.number].pointee.role == .awaitingReplica {
                connections[link.number].pointee.role = .stranger
                refuse(link.number, refusal, text)
            } else {
                close(link.number, text)
            }
        }
        markReplica(number)
    }

    mutating func strangerGone(_ index: Int) { replicaLinkClosed(index) }

    mutating func replicaLinkClosed(_ index: Int) {
        let connection = connections[index]
        let number = connection.pointee.host
        guard let host = replicas.find(number, generation: connection.pointee.hostGeneration) else {
            return
        }
        host.pointee.removeLink(connection.pointee.link)
        host.pointee.machine?.pointee.disconnected(connection.pointee.link, now: now)
        closeIfIdle(number)
    }

    // MARK: Closing

    /// The replica may have become idle: it is looked at in `settle`, when nobody is in the midst
    /// of something with it.
    @inline(__always)
    mutating func closeIfIdle(_ number: Int) { markReplica(number) }

    /// Closes the files when nobody needs them: at once, or after a while, as the case is.
    @inline(never)
    mutating func closeIdle(_ number: Int) {
        let host = replicas[number]
        guard host.pointee.links.isEmpty, host.pointee.state != .opening else { return }
        let isWanted = host.pointee.isServed && !isStopping && host.pointee.successor == nil
        if host.pointee.machine != nil {
            if isWanted { return waitIdle(number) }
            if host.pointee.machine!.pointee.isBusy || host.pointee.operationsUnderWay > 0
                || !host.pointee.machine!.pointee.actions.isEmpty
            {
                return
            }
            close(number)
        }
        let local = host.pointee.local
        if host.pointee.isUnregistered {
            replicaNumbers[LocalReplicaKey(volume: local.volume, replica: local.replica)] = nil
            replicas.remove(number)
            report(.replicaClosed(local.volume, local.replica))
        } else {
            host.pointee.beSucceeded()
        }
    }

    private mutating func close(_ number: Int) {
        let host = replicas[number]
        for slot in 0..<ReplicationLimits.replicaOperationsMax {
            releaseBuffer(host, ReplicaSlot(slot))
        }
        host.pointee.close()
    }

    private mutating func waitIdle(_ number: Int) {
        let host = replicas[number]
        if host.pointee.idleSince != .distantFuture { return }
        host.pointee.idleSince = now
        timers.add(
            Timer(
                instant: now + .seconds(EngineLimits.replicaIdleSeconds), kind: .replicaIdle,
                index: Int32(number), generation: replicas.generation(number)))
    }

    mutating func replicaIdleTimer(_ number: Int, _ timer: Timer) {
        guard let host = replicas.find(number, generation: timer.generation),
            host.pointee.idleSince != .distantFuture, let machine = host.pointee.machine
        else { return }
        host.pointee.idleSince = .distantFuture
        guard host.pointee.links.isEmpty else { return }
        let isQuiet = !machine.pointee.isBusy && host.pointee.operationsUnderWay == 0
        if isQuiet && machine.pointee.actions.isEmpty {
            close(number)
        } else {
            waitIdle(number)
        }
    }
}
