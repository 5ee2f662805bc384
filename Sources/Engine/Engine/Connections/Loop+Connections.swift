import Glibc
import Ring
import Units

/// Sockets: accepting, sending, closing.
extension Loop {
    // MARK: Accepting

    @inline(never)
    mutating func accept(_ listener: Listeners.Kind) {
        let socket = listeners[listener]
        if socket >= 0 { ring.accept(socket, tag: OperationTag(.accept, listener.rawValue)) }
    }

    @inline(never)
    mutating func accepted(_ index: Int, _ result: Int32, more: Bool) {
        guard let listener = Listeners.Kind(rawValue: index) else { trap("listener \(index)") }
        if result >= 0 {
            if isStopping || connections.isFull {
                Glibc.close(result)
            } else {
                welcome(result, from: listener)
            }
        }
        if more || isStopping { return }
        acceptingEnded(listener, result)
    }

    private mutating func welcome(_ socket: Int32, from listener: Listeners.Kind) {
        switch listener {
        case .data: beginStranger(socket)
        case .nbd: beginHandshake(socket)
        case .nbdNetwork:
            SocketOptions.setForClient(socket)
            beginHandshake(socket)
        }
    }

    /// Out of descriptors or memory: again in a moment. Cancelled: the loop is stopping.
    private mutating func acceptingEnded(_ listener: Listeners.Kind, _ result: Int32) {
        switch -result {
        case ECANCELED: return
        case ECONNABORTED, EINTR, EPERM, EPROTO, 0: accept(listener)
        default:
            log("accepting connections: \(errnoText(-result)); again in 100 ms")
            timers.add(
                Timer(
                    instant: now + .milliseconds(100), kind: .acceptAgain,
                    index: Int32(listener.rawValue), generation: 0))
        }
    }

    mutating func acceptAgain(_ index: Int) {
        if let listener = Listeners.Kind(rawValue: index), !isStopping { accept(listener) }
    }

    private mutating func beginStranger(_ socket: Int32) {
        SocketOptions.setForData(socket, giveUp: timing.giveUp)
        let index = connections.insert(Connection(socket: socket, role: .stranger, state: .open))
        timers.add(
            Timer(
                instant: now + .seconds(EngineLimits.helloSeconds), kind: .hello,
                index: Int32(index), generation: connections.generation(index)))
        receive(index)
    }

    mutating func helloTimer(_ index: Int, _ timer: Timer) {
        guard let connection = connections.find(index, generation: timer.generation),
            connection.pointee.role == .stranger
        else { return }
        close(index, "no hello within \(EngineLimits.helloSeconds) s")
    }

    // MARK: Sending

    /// The connection has something to send: it is sent at the end of the turn.
    @inline(__always)
    mutating func markDirty(_ index: Int) {
        let connection = connections[index]
        if connection.pointee.isDirty { return }
        connection.pointee.isDirty = true
        dirtyConnections.append(index)
    }

    mutating func flushConnections() {
        while let index = dirtyConnections.popFirst() {
            guard let connection = connections.find(index) else { continue }
            connection.pointee.isDirty = false
            if connection.pointee.state == .open && !connection.pointee.isSending { send(index) }
        }
    }

    private mutating func send(_ index: Int) {
        let connection = connections[index]
        if connection.pointee.sending.isEmpty {
            if connection.pointee.output.isEmpty {
                if connection.pointee.closesAfterSending { close(index, nil) }
                return
            }
            connection.pointee.swapOutputs()
        }
        let vectors = connection.pointee.vectors
        let (count, bytes) = connection.pointee.sending.take(
            into: vectors, max: EngineLimits.sendPiecesMax)
        connection.pointee.piecesSending = count
        connection.pointee.bytesSending = bytes
        connection.pointee.isSending = true
        let tag = OperationTag(.send, index, generation: connections.generation(index))
        if count == 1 {
            ring.send(
                connection.pointee.socket, from: vectors[0].iov_base, length: vectors[0].iov_len,
                tag: tag)
        } else {
            let message = connection.pointee.message
            message.pointee.msg_iov = vectors
            message.pointee.msg_iovlen = count
            ring.send(connection.pointee.socket, message: message, tag: tag)
        }
    }

    mutating func sent(_ index: Int, _ result: Int32) {
        let connection = connections[index]
        connection.pointee.isSending = false
        connection.pointee.sending.finished(
            connection.pointee.piecesSending, releasing: &memory)
        if connection.pointee.state == .closing { return removeIfQuiet(index) }
        if Int(result) != connection.pointee.bytesSending {
            close(index, result < 0 ? errnoText(-result) : "the connection broke while sending")
            return
        }
        markDirty(index)
        if connection.pointee.role == .nbd { resumeReceiving(index) }
    }

    // MARK: Closing

    /// Ends a connection. What it belongs to is told; what is under way on it comes to its end.
    /// - Parameter reason: for the log, made here and not by a caller on an I/O's way; nil where
    ///   there is nothing to tell.
    @inline(never)
    mutating func close(_ index: Int, _ reason: @autoclosure () -> String?) {
        let connection = connections[index]
        if connection.pointee.state == .closing { return }
        connection.pointee.state = .closing
        if let reason = reason() { log("connection \(connection.pointee.role): \(reason)") }
        switch connection.pointee.role {
        case .stranger: break
        case .awaitingReplica: strangerGone(index)
        case .replicaLink: replicaLinkClosed(index)
        case .ownerLink: ownerLinkClosed(index)
        case .heartbeat: heartbeatClosed(index)
        case .handshake: handshakeClosed(index)
        case .nbd: clientClosed(index)
        }
        connection.pointee.isClosingSocket = true
        ring.close(
            connection.pointee.socket,
            tag: OperationTag(.closeSocket, index, generation: connections.generation(index)))
    }

    mutating func socketClosed(_ index: Int) {
        connections[index].pointee.isClosingSocket = false
        connections[index].pointee.isSocketClosed = true
        removeIfQuiet(index)
    }

    mutating func removeIfQuiet(_ index: Int) {
        let connection = connections[index]
        guard connection.pointee.state == .closing, !connection.pointee.isReceiving,
            !connection.pointee.isSending, !connection.pointee.isClosingSocket
        else { return }
        connection.pointee.sending.removeAll(releasing: &memory)
        connection.pointee.output.removeAll(releasing: &memory)
        if !connection.pointee.payload.memory.isNone {
            memory.release(connection.pointee.payload.memory)
        }
        connections.remove(index)
    }
}

extension Connection {
    mutating func swapOutputs() { swap(&output, &sending) }
}
