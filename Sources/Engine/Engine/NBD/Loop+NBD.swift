import NBDProtocol
import Replication
import Units

/// NBD's transmission phase: many requests under way, answered as they end.
extension Loop {
    mutating func parseRequest(_ index: Int) -> ParseStep {
        let connection = connections[index]
        if connection.pointee.nbd.writing >= 0 { return receiveNextPiece(index) }
        if connection.pointee.nbd.isLeaving { return leave(index) }
        guard connection.pointee.input.count >= NBDRequest.headerBytes else { return .needsMore }
        // Answers, or `sent`, go on with it.
        if connection.pointee.nbd.requestsUnderWay >= EngineLimits.requestsPerConnectionMax
            || connection.pointee.output.isFull
        {
            return .pause
        }
        let structured = connection.pointee.nbd.structuredReplies
        let decision = NBDRequest.parse(
            connection.pointee.input.first,
            exportBytes: volumes[connection.pointee.host].pointee.exportBytes,
            structuredReplies: structured)
        switch decision {
        case .perform(let request): return begin(request, index)
        case .refuse(let refusal):
            connection.pointee.input.drop(NBDRequest.headerBytes)
            connection.pointee.payload.skipping = Int(refusal.skippedBytes)
            connection.pointee.append(NBDReply.bytesMax) {
                NBDReply.encodeRefusal(refusal, structuredReplies: structured, into: $0)
            }
            markDirty(index)
            return .again
        case .disconnect:
            connection.pointee.nbd.isLeaving = true
            return leave(index)
        case .violation(let violation):
            close(index, "\(violation)")
            return .closed
        }
    }

    /// Nothing more is taken; the connection closes when everything is answered.
    private mutating func leave(_ index: Int) -> ParseStep {
        let connection = connections[index]
        connection.pointee.isPaused = true
        if connection.pointee.nbd.requestsUnderWay == 0 {
            connection.pointee.closesAfterSending = true
            markDirty(index)
        }
        return .closed
    }

    private mutating func begin(_ nbd: NBDRequest, _ index: Int) -> ParseStep {
        let connection = connections[index]
        let operation: Request.Operation =
            switch nbd.command {
            case .read: .read
            case .write: .write
            case .flush: .flush
            case .trim: .discard
            case .writeZeroes: .writeZeroes
            }
        let range = ByteRange(offset: nbd.offsetBytes, length: UInt64(nbd.lengthBytes))
        let request = requests.insert(
            Request(
                operation: operation, client: .nbd, number: Int32(index),
                generation: connections.generation(index), volume: Int32(connection.pointee.host),
                mark: nbd.cookie, range: range, forceUnitAccess: nbd.forcesUnitAccess,
                next: range.offset))
        if operation == .read && !cutRead(request) {
            removeRequest(request)
            memoryWaiters.append(index)
            return .pause
        }
        connection.pointee.input.drop(NBDRequest.headerBytes)
        connection.pointee.nbd.requestsUnderWay += 1
        switch operation {
        case .read: break
        case .write: connection.pointee.nbd.writing = Int32(request)
        case .flush: beginFlush(request, index)
        case .discard, .writeZeroes: begin(request)
        }
        return .again
    }

    private mutating func beginFlush(_ request: Int, _ index: Int) {
        let connection = connections[index]
        if connection.pointee.nbd.failsNextFlush {
            connection.pointee.nbd.failsNextFlush = false
            requests[request].status = .ioError
            requests[request].next = requests[request].range.end
            finishIfDone(request)
        } else {
            addFlush(request)
        }
    }

    // MARK: Reads

    /// Cuts a read into its pieces; false where memory for one is lacking: then none is queued.
    private mutating func cutRead(_ request: Int) -> Bool {
        // All the memory first: two reads that have half of it each would wait for ever.
        var whole = requests[request]
        var held = MemoryChain()
        while !whole.isCut {
            let range = Self.pieceRange(of: whole)
            let buffer = memory.acquire(Int(range.blockAligned.length), for: .client)
            if buffer.isNone {
                for place in 0..<held.count { memory.giveBackUnused(held[place]) }
                return false
            }
            held.append(buffer)
            whole.next = range.end
        }
        for place in 0..<held.count {
            let range = Self.pieceRange(of: requests[request])
            requests[request].next = range.end
            addPiece(
                RequestPiece(
                    request: Int32(request), operation: .read(range), range: range,
                    memory: held[place], address: memory.bytes(held[place])))
        }
        return true
    }

    // MARK: Writes

    /// Receives the next piece of the write under way, or ends it.
    private mutating func receiveNextPiece(_ index: Int) -> ParseStep {
        let connection = connections[index]
        let request = Int(connection.pointee.nbd.writing)
        if requests[request].isCut {
            connection.pointee.nbd.writing = -1
            return .again
        }
        let range = Self.pieceRange(of: requests[request])
        let blocks = range.blockAligned
        let buffer = memory.acquire(Int(blocks.length), for: .client)
        if buffer.isNone {
            memoryWaiters.append(index)
            return .pause
        }
        var piece = RequestPiece(
            request: Int32(request),
            operation: .write(range, forceUnitAccess: requests[request].forceUnitAccess),
            range: range, memory: buffer, address: memory.bytes(buffer))
        if !range.isBlockAligned {
            let client = memory.acquire(Int(blocks.length), for: .client)
            if client.isNone {
                memory.giveBackUnused(buffer)
                memoryWaiters.append(index)
                return .pause
            }
            piece.clientMemory = client
            piece.clientAddress = memory.bytes(client)
        }
        connection.pointee.nbd.piece = piece
        connection.pointee.beginPayload(
            piece.clientAddress ?? piece.address!, Int(range.length),
            memory: piece.clientMemory.isNone ? piece.memory : piece.clientMemory)
        return .again
    }

    /// The bytes of a piece are complete.
    mutating func piecePayloadArrived(_ index: Int) -> ParseStep {
        let connection = connections[index]
        _ = connection.pointee.endPayload()
        let piece = connection.pointee.nbd.piece
        connection.pointee.nbd.piece = RequestPiece(
            request: -1, operation: .flush, range: ByteRange(offset: 0, length: 0))
        requests[Int(piece.request)].next = piece.range.end
        if requests[Int(piece.request)].isCut { connection.pointee.nbd.writing = -1 }
        addPiece(piece)
        return .again
    }

    // MARK: Answers

    mutating func answerClient(_ request: Int) {
        let done = requests[request]
        let index = Int(done.number)
        guard let connection = connections.find(index, generation: done.generation),
            connection.pointee.state == .open
        else { return removeRequest(request) }
        let structured = connection.pointee.nbd.structuredReplies
        if done.status != .ok {
            let error = done.status.nbdError
            connection.pointee.append(NBDReply.bytesMax) {
                NBDReply.encodeError(
                    cookie: done.mark, error, message: done.status.message,
                    structuredReplies: structured, into: $0)
            }
        } else if done.operation == .read {
            answerRead(done, index)
        } else {
            connection.pointee.append(NBDReply.bytesMax) {
                NBDReply.encodeSuccess(cookie: done.mark, structuredReplies: structured, into: $0)
            }
        }
        removeRequest(request)
        markDirty(index)
        let wasFull =
            connection.pointee.nbd.requestsUnderWay >= EngineLimits.requestsPerConnectionMax
        connection.pointee.nbd.requestsUnderWay -= 1
        if connection.pointee.nbd.isLeaving {
            _ = leave(index)
        } else if wasFull {
            memoryWaiters.append(index)
            memory.wasFreed = true
        }
    }

    private mutating func answerRead(_ done: Request, _ index: Int) {
        let connection = connections[index]
        let nbd = NBDRequest(
            command: .read, cookie: done.mark, offsetBytes: done.range.offset,
            lengthBytes: UInt32(done.range.length))
        let structured = connection.pointee.nbd.structuredReplies
        connection.pointee.append(NBDReply.bytesMax) {
            NBDReply.encodeReadHeader(nbd, structuredReplies: structured, into: $0)
        }
        var next = done.firstPiece
        while next >= 0 {
            let piece = pieces[Int(next)]
            // The send takes the piece's reference over.
            pieces[Int(next)].memory = .none
            connection.pointee.output.append(
                piece.address! + Int(piece.range.offset - piece.range.blockAligned.offset),
                Int(piece.range.length), memory: piece.memory)
            next = piece.nextOfRequest
        }
    }

    // MARK: Ends

    mutating func clientClosed(_ index: Int) {
        let connection = connections[index]
        let piece = connection.pointee.nbd.piece
        // The one that is being filled is the payload's: released when nothing is received.
        if !piece.clientMemory.isNone { memory.release(piece.memory) }
        let writing = Int(connection.pointee.nbd.writing)
        if writing >= 0 {
            connection.pointee.nbd.writing = -1
            requests[writing].next = requests[writing].range.end
            finishIfDone(writing)
        }
        leaveVolume(index)
    }

    /// The volume's clients are sent away once everything is answered.
    mutating func closeClients(of volume: Int) {
        for index in 0..<connections.end {
            guard let connection = connections.find(index), connection.pointee.role == .nbd,
                connection.pointee.host == volume, connection.pointee.state == .open
            else { continue }
            connection.pointee.nbd.isLeaving = true
            if connection.pointee.nbd.writing < 0 { _ = leave(index) }
        }
    }

    mutating func clientsLostWrites(_ volume: Int) {
        for index in 0..<connections.end {
            guard let connection = connections.find(index), connection.pointee.role == .nbd,
                connection.pointee.host == volume
            else { continue }
            connection.pointee.nbd.failsNextFlush = true
        }
        let disk = volumes[volume].pointee.disk
        if disk >= 0 { disks[disk].pointee.failsNextFlush = true }
    }
}

extension ClientStatus {
    var nbdError: NBDError {
        switch self {
        case .noSpace: .noSpace
        case .notOwner: .shuttingDown
        case .ok, .ioError: .inputOutput
        }
    }

    var message: StaticString {
        switch self {
        case .ok: ""
        case .ioError: "no copy of the volume could do it"
        case .noSpace: "a drive of the volume is full"
        case .notOwner: "the volume is served elsewhere now"
        }
    }
}

/// The buffers of one read: at most those of 32 MiB that begin and end within a region.
struct MemoryChain {
    private(set) var count = 0
    private var items = InlineArray<34, MemoryID>(repeating: .none)

    subscript(_ index: Int) -> MemoryID { items[index] }

    mutating func append(_ id: MemoryID) {
        items[count] = id
        count += 1
    }
}
