import Glibc
import Ring
import Units

/// What a parser says when it stops.
enum ParseStep {
    /// One frame or request was taken: there may be more.
    case again
    /// More bytes are needed.
    case needsMore
    /// Memory or room is needed first: `resumeReceiving` goes on.
    case pause
    /// The connection is being closed.
    case closed
}

/// Receiving: into the input buffer, or straight into the memory of a payload.
extension Loop {
    /// Receives what comes next, unless that is under way or must wait.
    mutating func receive(_ index: Int) {
        let connection = connections[index]
        guard connection.pointee.state == .open, !connection.pointee.isReceiving,
            !connection.pointee.isPaused
        else { return }
        connection.pointee.isReceiving = true
        let tag = OperationTag(.receive, index, generation: connections.generation(index))
        let payload = connection.pointee.payload
        if payload.isActive && payload.missing > EngineLimits.directReceiveBytesMin {
            connection.pointee.payload.isDirect = true
            ring.receive(
                connection.pointee.socket, into: payload.address! + payload.received,
                length: payload.missing, whole: true, tag: tag)
        } else {
            let room = connection.pointee.input.room()
            ring.receive(
                connection.pointee.socket, into: room.baseAddress!, length: room.count, tag: tag)
        }
    }

    mutating func received(_ index: Int, _ result: Int32) {
        let connection = connections[index]
        connection.pointee.isReceiving = false
        if connection.pointee.state == .closing { return removeIfQuiet(index) }
        if result <= 0 {
            close(index, result == 0 || result == -ECONNRESET ? nil : errnoText(-result))
            return
        }
        if connection.pointee.payload.isDirect {
            connection.pointee.payload.isDirect = false
            connection.pointee.payload.received += Int(result)
        } else {
            connection.pointee.input.received(Int(result))
        }
        parse(index)
    }

    /// Goes on with a connection that waited for memory or room.
    mutating func resumeReceiving(_ index: Int) {
        guard let connection = connections.find(index), connection.pointee.state == .open,
            connection.pointee.isPaused
        else { return }
        connection.pointee.isPaused = false
        if !connection.pointee.isReceiving { parse(index) }
    }

    /// Looks at what has been received, and receives more.
    mutating func parse(_ index: Int) {
        while true {
            let connection = connections[index]
            if connection.pointee.state != .open { return }
            switch step(index) {
            case .again: continue
            case .needsMore: return receive(index)
            case .closed: return
            case .pause:
                connection.pointee.isPaused = true
                return
            }
        }
    }

    private mutating func step(_ index: Int) -> ParseStep {
        let connection = connections[index]
        if connection.pointee.payload.isActive {
            connection.pointee.takePayload()
            if connection.pointee.payload.missing > 0 { return .needsMore }
            return payloadArrived(index)
        }
        if connection.pointee.payload.skipping > 0 {
            connection.pointee.skip()
            if connection.pointee.payload.skipping > 0 { return .needsMore }
        }
        switch connection.pointee.role {
        case .handshake: return parseHandshake(index)
        case .nbd: return parseRequest(index)
        // Nothing is looked at before the hello is answered.
        case .awaitingReplica:
            return connection.pointee.input.count > 0 ? unexpected(index) : .needsMore
        case .stranger, .replicaLink, .ownerLink, .heartbeat: return parseFrame(index)
        }
    }

    private mutating func unexpected(_ index: Int) -> ParseStep {
        close(index, "bytes before the hello was answered")
        return .closed
    }

    private mutating func payloadArrived(_ index: Int) -> ParseStep {
        switch connections[index].pointee.role {
        case .replicaLink: writeArrived(index)
        case .ownerLink: replyPayloadArrived(index)
        case .nbd: piecePayloadArrived(index)
        case .stranger, .awaitingReplica, .heartbeat, .handshake:
            trap("a payload on a connection without one")
        }
    }
}

extension Connection {
    /// Begins to fill memory with the next `length` bytes of the stream.
    mutating func beginPayload(
        _ address: UnsafeMutableRawPointer, _ length: Int, memory: MemoryID
    ) {
        payload.address = address
        payload.length = length
        payload.received = 0
        payload.memory = memory
    }

    /// Moves what has been received of the payload to where it belongs.
    mutating func takePayload() {
        let count = min(payload.missing, input.count)
        if count == 0 { return }
        (payload.address! + payload.received).copyMemory(from: input.first, byteCount: count)
        input.drop(count)
        payload.received += count
    }

    mutating func skip() {
        let count = min(payload.skipping, input.count)
        input.drop(count)
        payload.skipping -= count
    }

    /// The payload's memory, whose reference goes to the caller.
    mutating func endPayload() -> MemoryID {
        defer { payload = Payload() }
        return payload.memory
    }
}
