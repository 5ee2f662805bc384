import EngineCommands
import Glibc
import Units

/// What other threads ask of the loop.
extension Loop {
    mutating func handle(_ message: LoopMessage) {
        switch message {
        case .command(let command): handle(command)
        case .die:
            isStopping = true
            stopIsOverdue = true
        case .adoptLink(let socket, let hello, let version): adoptLink(socket, hello, version)
        case .adoptClient(let socket, let handshake, let export, let name):
            adoptClient(socket, handshake, export, name: name)
        case .replicaOpened(let number, let generation, let opening):
            replicaOpened(number, generation, opening)
        case .nodeIsUsed(let node): useNode(node)
        case .nodeIsUnused(let node): leaveNode(node)
        case .nodeIsSilent(let node): closeLinks(to: node)
        }
    }

    private mutating func handle(_ command: EngineCommand) {
        switch command {
        case .nodeAddress(let node, let address): addresses[node] = address
        case .registerReplica(let replica): registerReplica(replica)
        case .unregisterReplica(let volume, let replica): unregisterReplica(volume, replica)
        case .openOwner(let configuration, let instance, let sizeBytes):
            openOwner(configuration, instance, sizeBytes)
        case .closeOwner(let volume, let instance): closeOwner(volume, instance)
        case .configurationAnswered(let volume, let instance, let answer):
            configurationAnswered(volume, instance, answer)
        case .recordSeen(let record, let instance): recordSeen(record, instance)
        case .limit(let volume, let level): limit(volume, level)
        case .addReplica(let volume, let record): rebuild(volume, with: .add(record))
        case .rebuild(let volume, let replica): rebuild(volume, with: .start(replica))
        case .freeReplica(let volume, let replica, let copies):
            rebuild(volume, with: .free(replica, copies: copies))
        case .serveFUSE(let volume, let descriptor, let isResumed):
            serveDisk(volume, descriptor, isResumed)
        case .stopFUSE(let volume): stopDisk(volume)
        case .exportAnswered(let token, let result): exportAnswered(token, result)
        case .exportNames(let names): exportNames = names
        case .stop: stop()
        }
    }

    // MARK: Stopping

    /// No new connections; clients and sessions end, then the replicas close.
    private mutating func stop() {
        if isStopping { return }
        isStopping = true
        for kind in Listeners.Kind.allCases where listeners[kind] >= 0 {
            ring.cancel(listeners[kind])
        }
        for index in 0..<connections.end {
            guard let connection = connections.find(index) else { continue }
            switch connection.pointee.role {
            case .handshake, .nbd, .stranger, .awaitingReplica, .heartbeat: close(index, nil)
            case .replicaLink, .ownerLink: break
            }
        }
        for index in 0..<volumes.end {
            guard let host = volumes.find(index) else { continue }
            host.pointee.machine?.pointee.close(now: now)
            markVolume(index)
        }
        timers.add(
            Timer(
                instant: now + EngineLimits.stopPatience, kind: .stopPatience, index: 0,
                generation: 0))
        closeWhenOwnersAreGone()
    }

    /// Replicas go last: the owners here may still need them.
    mutating func closeWhenOwnersAreGone() {
        guard isStopping else { return }
        for index in 0..<volumes.end where volumes.find(index)?.pointee.machine != nil { return }
        for index in 0..<connections.end {
            if connections.find(index)?.pointee.role == .replicaLink { close(index, nil) }
        }
        for index in 0..<disks.end where disks.find(index) != nil { closeDisk(index) }
        for index in 0..<volumes.end where volumes.find(index) != nil { failWaiting(index) }
        for index in 0..<replicas.end where replicas.find(index) != nil { closeIfIdle(index) }
    }

    /// Nothing is left but what has lost its patience.
    var mayEnd: Bool {
        if stopIsOverdue { return true }
        for index in 0..<volumes.end where volumes.find(index)?.pointee.machine != nil {
            return false
        }
        for index in 0..<replicas.end where replicas.find(index)?.pointee.state.isOpen == true {
            return false
        }
        return connections.count == 0 && disks.count == 0
    }

    /// An owner that cannot end cleanly, since nobody answers, ends as in a crash.
    mutating func stopPatienceEnds() {
        stopIsOverdue = true
    }
}
