import Units
import WireFormat

/// Requests of clients and the owner's own, from their arrival to their end.
///
/// A request is acknowledged when the ack set has it; its lock is held until every replica that it
/// was sent to has answered or was dropped (rule 11).
extension OwnerMachine {
    /// Takes a client's request, if there is room for one more.
    /// - Parameter token: comes back with `complete`.
    /// - Returns: the slot whose buffer holds or takes the data; nil while the volume is full or
    ///   closing: offer it again after a `release`.
    public mutating func submit(_ request: ClientRequest, token: UInt64, now: Instant) -> OwnerSlot? {
        self.now = now
        guard phase != .ended, !closeRequested,
            clientOperations < ReplicationLimits.clientOperationsMax
        else { return nil }
        var operation = OwnerOperation()
        operation.token = token
        switch request {
        case .read(let range):
            operation.kind = .read
            operation.range = range.blockAligned
        case .write(let range, let forceUnitAccess):
            operation.kind = .write
            operation.range = range.blockAligned
            operation.isPartial = !range.isBlockAligned
            operation.forceUnitAccess = forceUnitAccess
        case .discard(let range):
            operation.kind = .discard
            operation.range = range
        case .writeZeroes(let range, let forceUnitAccess):
            operation.kind = .writeZeroes
            operation.range = range
            operation.forceUnitAccess = forceUnitAccess
        case .flush:
            operation.kind = .flush
        }
        checkBounds(operation)
        clientOperations += 1
        let slot = begin(operation)
        settle()
        return slot
    }

    private func checkBounds(_ operation: OwnerOperation) {
        if operation.kind == .flush { return }
        let range = operation.range
        require(
            range.length > 0 && range.isBlockAligned && range.end <= sizeBytes,
            "request \(range) of a volume of \(sizeBytes) bytes")
        let isData = operation.kind == .read || operation.kind == .write
        require(
            isData
                ? range.firstRegion == range.lastRegion
                : range.length <= ReplicationLimits.discardBytesMax,
            "request \(range) is too long")
    }

    /// Puts the operation at the end of the list and starts it if nothing is in its way.
    mutating func begin(_ operation: OwnerOperation) -> OwnerSlot {
        guard let slot = freeSlots.popLast() else { trap("no slot for an operation") }
        sequence += 1
        operations[Int(slot)] = operation
        operations[Int(slot)].sequence = sequence
        operations[Int(slot)].state = .waiting
        operations[Int(slot)].previous = newest
        operations[Int(slot)].next = -1
        if newest >= 0 { operations[Int(newest)].next = Int16(slot) } else { oldest = Int16(slot) }
        newest = Int16(slot)
        waitingCount += 1
        startIfFree(slot)
        return slot
    }

    func id(_ slot: OwnerSlot) -> UInt64 { operations[Int(slot)].sequence << 16 | UInt64(slot) }

    func slot(of id: UInt64) -> OwnerSlot? {
        let slot = id & 0xFFFF
        guard slot < UInt64(ReplicationLimits.operationsMax),
            operations[Int(slot)].state != .free, operations[Int(slot)].sequence == id >> 16
        else { return nil }
        return OwnerSlot(slot)
    }

    /// The slot whose read a reply with this id answers, if that is still wanted of this peer:
    /// its buffer takes the data before `replied` is called.
    public func readSlot(of id: UInt64, from peer: PeerIndex) -> OwnerSlot? {
        guard let slot = slot(of: id), operations[Int(slot)].state == .reading,
            operations[Int(slot)].source == peer
        else { return nil }
        return slot
    }

    /// Nothing is in its way any more.
    mutating func start(_ slot: OwnerSlot) {
        waitingCount -= 1
        let operation = operations[Int(slot)]
        if operation.changesData {
            operations[Int(slot)].generation = generation
            changesUnderWay += 1
            if firstWriteOfGeneration == nil {
                firstWriteOfGeneration = now
                wake(at: now + timing.closeGeneration)
            }
        }
        switch operation.kind {
        case .read, .copy, .repair: read(slot)
        case .write: if operation.isPartial { read(slot) } else { spread(slot, to: writeSet) }
        case .discard, .writeZeroes: spread(slot, to: writeSet)
        case .flush, .closingFlush: spread(slot, to: ackSet)
        case .targetFlush: spread(slot, to: operation.targets)
        }
    }

    // MARK: Reading

    private mutating func read(_ slot: OwnerSlot) {
        operations[Int(slot)].state = .reading
        operations[Int(slot)].source = -1
        if operations[Int(slot)].kind == .read && !hasLeases { askLeases() }
        sendRead(slot)
    }

    /// Sends the read to a replica in sync that has not failed it yet; later, if none is ready, or
    /// none is left.
    mutating func sendRead(_ slot: OwnerSlot) {
        let operation = operations[Int(slot)]
        guard phase == .serving || phase == .closing else { return }
        guard let index = readSource(for: operation) else {
            if sources(of: operation).isEmpty { (hasUnreadable, mustProceed) = (true, true) }
            return
        }
        operations[Int(slot)].source = index
        send(
            ReplicaRequest(.read, id: id(slot), epoch: epoch, range: operation.range),
            to: index, slot)
    }

    /// Who may still be asked for it.
    private func sources(of operation: OwnerOperation) -> PeerMask {
        let untried = recordedInSync.subtracting(operation.tried)
        guard operation.kind == .copy, let reconciliation else { return untried }
        return operation.tried.isEmpty
            ? PeerMask(reconciliation.source) : untried.intersection(reconciliation.deputies)
    }

    private mutating func readSource(for operation: OwnerOperation) -> PeerIndex? {
        var choice: PeerIndex?
        var choices = 0
        for index in sources(of: operation).members {
            guard peers[index].link == .ready, !peers[index].mustLeave else { continue }
            if peers[index].isLocal { return index }
            choices += 1
            if choice == nil || choices == readRotation % 2 + 1 { choice = index }
        }
        readRotation &+= 1
        return choice
    }

    mutating func readAnswered(_ index: PeerIndex, _ reply: ReplicaReply) {
        guard let slot = slot(of: reply.id), operations[Int(slot)].state == .reading,
            operations[Int(slot)].source == index
        else { return }
        let operation = operations[Int(slot)]
        guard reply.status == .ok else {
            readFailed(slot, at: index, reply.status)
            return
        }
        switch operation.kind {
        case .read:
            if !operation.damaged.isEmpty { repair(operation) }
            if hasLeases || faults.contains(.leaseCheckedEarly) {
                acknowledge(slot, .ok)
                finish(slot)
            } else {
                operations[Int(slot)].state = .leaseWait
                leaseWaitCount += 1
                askLeases()
            }
        case .copy where reconciliation == nil:
            // A copy may be abandoned with its rebuild, a write to a replica in sync may not.
            if !operation.damaged.isEmpty { repair(operation) }
            spread(slot, to: operation.targets)
        case .copy, .repair:
            let damaged = operation.damaged.intersection(recordedInSync)
            spread(slot, to: operation.targets.union(damaged).subtracting(PeerMask(index)))
        default:
            operations[Int(slot)].state = .merging
            actions.append(.merge(slot))
        }
    }

    private mutating func readFailed(_ slot: OwnerSlot, at index: PeerIndex, _ status: ReplyStatus) {
        let operation = operations[Int(slot)]
        if status == .badChecksum {
            actions.append(.notify(.badChecksum(peers[index].record.id, operation.range)))
        }
        operations[Int(slot)].tried.insert(PeerMask(index))
        operations[Int(slot)].damaged.insert(PeerMask(index))
        operations[Int(slot)].source = -1
        sendRead(slot)
    }

    /// Reads that nobody in sync can answer end with an error. Not at once where that is found
    /// out: it starts others, and may be found in the midst of starting them.
    mutating func failUnreadable() {
        guard hasUnreadable else { return }
        hasUnreadable = false
        var slot = oldest
        while slot >= 0 {
            let operation = operations[Int(slot)]
            let isUnreadable = operation.state == .reading && operation.source < 0
                && sources(of: operation).isEmpty
            if isUnreadable { fail(OwnerSlot(slot), operation) }
            // Its end may have changed the list.
            slot = isUnreadable ? oldest : operation.next
        }
    }

    private mutating func fail(_ slot: OwnerSlot, _ operation: OwnerOperation) {
        operations[Int(slot)].status = .ioError
        acknowledge(slot, .ioError)
        finish(slot)
        if operation.kind == .copy { copyFailed(operation) }
    }

    /// The client's bytes lie over the blocks that were read.
    public mutating func merged(_ slot: OwnerSlot, now: Instant) {
        self.now = now
        if phase == .ended { return }
        require(operations[Int(slot)].state == .merging, "slot \(slot) was not being merged")
        spread(slot, to: writeSet)
        settle()
    }

    // MARK: Spreading

    private mutating func spread(_ slot: OwnerSlot, to targets: PeerMask) {
        operations[Int(slot)].state = .spreading
        operations[Int(slot)].targets = targets
        for index in targets.members { sendChange(slot, to: index) }
        // The targets may all have been dropped meanwhile.
        if targets.isEmpty { advance(slot) }
    }

    /// Sends it to one peer, unless that has it or cannot take it now: `sendAgain` will.
    mutating func sendChange(_ slot: OwnerSlot, to index: PeerIndex) {
        let operation = operations[Int(slot)]
        let mask = PeerMask(index)
        guard peers[index].link == .ready, operation.targets.contains(mask),
            operation.sent.isDisjoint(with: mask), operation.answered.isDisjoint(with: mask)
        else { return }
        operations[Int(slot)].sent.insert(mask)
        let kind: RequestKind =
            switch operation.kind {
            case .discard: .discard
            case .writeZeroes: .writeZeroes
            case .flush, .closingFlush, .targetFlush: .flush
            case .read, .write, .copy, .repair: .write
            }
        var request = ReplicaRequest(
            kind, id: id(slot), epoch: epoch, generation: operation.generation,
            range: operation.range, forceUnitAccess: operation.forceUnitAccess)
        request.isCopy = operation.kind == .copy || operation.kind == .repair
        send(request, to: index, slot)
    }

    mutating func changeAnswered(_ index: PeerIndex, _ reply: ReplicaReply) {
        guard let slot = slot(of: reply.id), operations[Int(slot)].state == .spreading,
            operations[Int(slot)].targets.has(index)
        else { return }
        if reply.status != .ok {
            changeFailed(slot, at: index, reply.status)
            return
        }
        operations[Int(slot)].answered.insert(PeerMask(index))
        advance(slot)
    }

    private mutating func changeFailed(_ slot: OwnerSlot, at index: PeerIndex, _ status: ReplyStatus) {
        var others: PeerMask = []
        for other in recordedInSync.members where other != index && !peers[other].mustLeave {
            others.insert(PeerMask(other))
        }
        if recordedInSync.has(index) && others.isEmpty {
            // The last one: there is nobody left to hold the data, and the client has to know.
            operations[Int(slot)].status = status == .noSpace ? .noSpace : .ioError
            operations[Int(slot)].answered.insert(PeerMask(index))
            advance(slot)
        } else {
            fail(index)
        }
    }

    /// Acknowledges and ends the operation as far as the answers allow.
    mutating func advance(_ slot: OwnerSlot) {
        let operation = operations[Int(slot)]
        guard operation.state == .spreading else { return }
        let missing = operation.targets.subtracting(operation.answered)
        if !operation.isAcknowledged && missing.isDisjoint(with: ackSet) {
            acknowledge(slot, operation.status)
        }
        let mayEnd = faults.contains(.lockUntilAcknowledged) && operation.kind != .copy
            ? operations[Int(slot)].isAcknowledged : missing.isEmpty
        if mayEnd && (operations[Int(slot)].isAcknowledged || !operation.isClients) { finish(slot) }
    }

    mutating func advanceAll() {
        var slot = oldest
        while slot >= 0 {
            // Ending one may start others; it takes none but itself off the list.
            let next = operations[Int(slot)].next
            advance(OwnerSlot(slot))
            slot = next
        }
    }

    mutating func acknowledge(_ slot: OwnerSlot, _ status: ClientStatus) {
        let operation = operations[Int(slot)]
        if operation.isAcknowledged { return }
        operations[Int(slot)].isAcknowledged = true
        if operation.isClients {
            actions.append(.complete(token: operation.token, status, slot))
        }
    }

    /// Takes the operation off the list, gives up its lock and starts what waited for it.
    mutating func finish(_ slot: OwnerSlot) {
        let operation = operations[Int(slot)]
        if operation.previous >= 0 {
            operations[Int(operation.previous)].next = operation.next
        } else {
            oldest = operation.next
        }
        if operation.next >= 0 {
            operations[Int(operation.next)].previous = operation.previous
        } else {
            newest = operation.previous
        }
        operations[Int(slot)].state = .free
        freeSlots.append(slot)
        actions.append(.release(slot))
        if operation.isClients { clientOperations -= 1 }
        if operation.state == .waiting {
            waitingCount -= 1
        } else if operation.changesData {
            changeIsOver(operation)
        }
        if waitingCount > 0 && !operation.isFlush { startWaiting(overlapping: operation.range) }
        finished(operation)
    }

    mutating func changeIsOver(_ operation: OwnerOperation) {
        if operation.generation == generation {
            changesUnderWay -= 1
        } else {
            olderChangesUnderWay -= 1
        }
    }

    /// What the end of an operation means to the owner's own work.
    private mutating func finished(_ operation: OwnerOperation) {
        switch operation.kind {
        case .copy: copyFinished(operation)
        case .repair: repairFinished(operation)
        case .closingFlush: closingFlushFinished(operation)
        case .targetFlush: targetFlushFinished(operation)
        case .read, .write, .discard, .writeZeroes, .flush:
            if closing != nil || rebuild != nil || closeRequested { mustProceed = true }
        }
    }
}
