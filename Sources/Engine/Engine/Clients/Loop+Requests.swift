import Replication
import Units

/// Clients' requests: cut into pieces, offered to the owner, put together again.
///
/// A piece waits in its volume's queue while the machine is full or no session is open. Whoever
/// brings requests is bounded, so the queue is.
extension Loop {
    // MARK: Queue

    mutating func enqueue(_ piece: Int, of volume: Int) {
        let host = volumes[volume]
        if host.pointee.lastWaiting >= 0 {
            pieces[Int(host.pointee.lastWaiting)].nextWaiting = Int32(piece)
        } else {
            host.pointee.firstWaiting = Int32(piece)
        }
        host.pointee.lastWaiting = Int32(piece)
        markVolume(volume)
    }

    private mutating func dequeue(_ volume: Int) -> Int? {
        let host = volumes[volume]
        let first = host.pointee.firstWaiting
        if first < 0 { return nil }
        host.pointee.firstWaiting = pieces[Int(first)].nextWaiting
        if host.pointee.firstWaiting < 0 { host.pointee.lastWaiting = -1 }
        pieces[Int(first)].nextWaiting = -1
        return Int(first)
    }

    /// Offers the owner the piece that waits longest.
    /// - Returns: whether it was taken, and more may be.
    mutating func offerNext(_ volume: Int) -> Bool {
        let host = volumes[volume]
        let first = host.pointee.firstWaiting
        guard first >= 0, let machine = host.pointee.machine else { return false }
        let piece = pieces[Int(first)]
        let counts = host.pointee.throttle.isLimited && piece.operation.movesData
        if counts && waitForThrottle(volume) { return false }
        guard
            let slot = machine.pointee.submit(piece.operation, token: UInt64(first), now: now)
        else { return false }
        _ = dequeue(volume)
        if counts { host.pointee.throttle.count(bytes: piece.range.length, now: now) }
        let context = host.pointee.slots + Int(slot)
        context.pointee.piece = first
        if !piece.memory.isNone {
            memory.retain(piece.memory)
            context.pointee.memory = piece.memory
            context.pointee.address = piece.address
            context.pointee.range = piece.range.blockAligned
        }
        return true
    }

    /// - Returns: whether the volume's clients have used up what they may, for now.
    private mutating func waitForThrottle(_ volume: Int) -> Bool {
        let host = volumes[volume]
        let opensAt = host.pointee.throttle.opensAt
        if opensAt <= now { return false }
        if opensAt < host.pointee.throttle.wakesAt {
            host.pointee.throttle.wakesAt = opensAt
            timers.add(
                Timer(
                    instant: opensAt, kind: .throttle, index: Int32(volume),
                    generation: volumes.generation(volume)))
        }
        return true
    }

    mutating func throttleOpens(_ volume: Int, _ timer: Timer) {
        guard let host = volumes.find(volume, generation: timer.generation),
            host.pointee.throttle.wakesAt == timer.instant
        else { return }
        host.pointee.throttle.wakesAt = .distantFuture
        markVolume(volume)
    }

    /// A volume that another instance owns serves nothing until a session is opened again.
    mutating func failIfDeposed(_ volume: Int) {
        if volumes[volume].pointee.isDeposed { failWaiting(volume) }
    }

    mutating func failWaiting(_ volume: Int) {
        while let piece = dequeue(volume) { pieceDone(piece, .notOwner) }
    }

    // MARK: Ends

    /// A piece has come to its end.
    mutating func pieceDone(_ number: Int, _ status: ClientStatus) {
        let piece = pieces[number]
        let request = Int(piece.request)
        if status != .ok && requests[request].status == .ok { requests[request].status = status }
        requests[request].piecesUnderWay -= 1
        if !piece.clientMemory.isNone {
            memory.release(piece.clientMemory)
            pieces[number].clientMemory = .none
        }
        if requests[request].operation != .read {
            if !piece.memory.isNone { memory.release(piece.memory) }
            pieces.remove(number)
        }
        if requests[request].operation == .discard || requests[request].operation == .writeZeroes {
            cutFurther(request)
        }
        finishIfDone(request)
    }

    mutating func finishIfDone(_ request: Int) {
        guard requests[request].piecesUnderWay == 0, requests[request].isCut else { return }
        count(request)
        switch requests[request].client {
        case .nbd: answerClient(request)
        case .disk: answerDisk(request)
        }
    }

    private func count(_ request: Int) {
        let counters = volumes[Int(requests[request].volume)].pointee.counters
        let length = requests[request].range.length
        switch requests[request].operation {
        case .read:
            CounterBlock.add(1, to: counters.reads)
            CounterBlock.add(length, to: counters.bytesRead)
        case .write:
            CounterBlock.add(1, to: counters.writes)
            CounterBlock.add(length, to: counters.bytesWritten)
        case .flush: CounterBlock.add(1, to: counters.flushes)
        case .discard, .writeZeroes: break
        }
    }

    /// Gives back what a read's pieces hold, and the request itself.
    mutating func removeRequest(_ request: Int) {
        var next = requests[request].firstPiece
        while next >= 0 {
            let piece = pieces[Int(next)]
            if !piece.memory.isNone { memory.release(piece.memory) }
            pieces.remove(Int(next))
            next = piece.nextOfRequest
        }
        requests.remove(request)
    }

    // MARK: Cutting

    /// What of the request is left lies within one region up to here.
    static func pieceRange(of request: Request) -> ByteRange {
        let regionEnd = (request.next / Geometry.regionBytes + 1) * Geometry.regionBytes
        return ByteRange(
            offset: request.next, length: min(request.range.end, regionEnd) - request.next)
    }

    /// Adds a piece of the request to the volume's queue.
    mutating func addPiece(_ piece: RequestPiece) {
        let number = pieces.insert(piece)
        let request = Int(piece.request)
        requests[request].piecesUnderWay += 1
        if requests[request].operation == .read {
            if requests[request].lastPiece >= 0 {
                pieces[Int(requests[request].lastPiece)].nextOfRequest = Int32(number)
            } else {
                requests[request].firstPiece = Int32(number)
            }
            requests[request].lastPiece = Int32(number)
        }
        enqueue(number, of: Int(requests[request].volume))
    }

    mutating func addFlush(_ request: Int) {
        requests[request].next = requests[request].range.end
        let range = requests[request].range
        addPiece(RequestPiece(request: Int32(request), operation: .flush, range: range))
    }

    /// The next piece of a discard or a write of zeros: one at a time, so that a discard of 64 TB
    /// holds one lock. The parts of blocks at the ends of a write of zeros become writes; those of
    /// a discard stay as they are.
    mutating func cutFurther(_ request: Int) {
        let now = requests[request]
        if now.isCut || now.piecesUnderWay > 0 { return }
        if now.status != .ok {
            requests[request].next = now.range.end
            return
        }
        let mask = Geometry.blockBytes - 1
        let aligned = (now.next + mask) & ~mask
        let lastBlock = now.range.end & ~mask
        if now.next < aligned || aligned >= lastBlock {
            let end = now.next < aligned ? min(aligned, now.range.end) : now.range.end
            requests[request].next = end
            if now.operation == .discard { return cutFurther(request) }
            writeZeros(request, ByteRange(offset: now.next, length: end - now.next))
            return
        }
        let length = min(lastBlock - aligned, ReplicationLimits.discardBytesMax)
        let range = ByteRange(offset: aligned, length: length)
        requests[request].next = range.end
        let operation: ClientRequest = now.operation == .discard
            ? .discard(range) : .writeZeroes(range, forceUnitAccess: now.forceUnitAccess)
        addPiece(RequestPiece(request: Int32(request), operation: operation, range: range))
    }

    /// A part of a block, as a write.
    private mutating func writeZeros(_ request: Int, _ range: ByteRange) {
        let byteCount = Int(Geometry.blockBytes)
        let block = memory.acquire(byteCount, for: .client)
        let zeros = memory.acquire(byteCount, for: .client)
        guard !block.isNone, !zeros.isNone else {
            if !block.isNone { memory.release(block) }
            if !zeros.isNone { memory.release(zeros) }
            requests[request].status = .ioError
            requests[request].next = requests[request].range.end
            return
        }
        memory.bytes(zeros).initializeMemory(as: UInt8.self, repeating: 0, count: byteCount)
        addPiece(
            RequestPiece(
                request: Int32(request),
                operation: .write(range, forceUnitAccess: requests[request].forceUnitAccess),
                range: range, memory: block, address: memory.bytes(block), clientMemory: zeros,
                clientAddress: memory.bytes(zeros)))
    }

    /// A discard or a write of zeros has arrived.
    mutating func begin(_ request: Int) {
        cutFurther(request)
        finishIfDone(request)
    }
}
