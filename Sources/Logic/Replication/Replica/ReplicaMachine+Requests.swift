import Units
import WireFormat

extension ReplicaMachine {
    /// A request has arrived, with its payload.
    /// - Returns: the slot that keeps it, whose buffer holds its payload or takes its answer;
    ///   nil where it was answered at once.
    public mutating func received(
        _ request: ReplicaRequest, on id: LinkID, now: Instant
    ) -> ReplicaSlot? {
        self.now = now
        guard let link = link(id), !link.isClosed else { return nil }
        if isFaulty { return reject(request, on: id, .ioError) }
        if request.epoch < state.promised { return reject(request, on: id, .refused) }
        if request.kind == .promise { return receivedPromise(request, on: link) }
        let isCurrent =
            request.epoch == state.promised && link.instance == state.promisedTo
            && durable.promised == request.epoch && pending == nil
        guard isCurrent, isSound(request) else { return reject(request, on: id, .invalid) }
        switch request.kind {
        case .lease: return receivedLease(request, on: link)
        case .giveLeaseBack:
            if lease.holder == link.instance { lease.until = .zero }
            return reject(request, on: id, .ok)
        default: break
        }
        guard let slot = take(request, from: id) else {
            actions.append(.closeLink(id))
            disconnected(id, now: now)
            return nil
        }
        switch request.kind {
        case .read, .flush: perform(slot)
        case .list: actions.append(.perform(slot))
        case .write, .discard, .writeZeroes: receivedChange(slot, request)
        case .checkpoint: receivedStateChange(slot, checkpoint: request.stamp, whole: false)
        case .whole: receivedStateChange(slot, checkpoint: .zero, whole: true)
        case .promise, .lease, .giveLeaseBack: break
        }
        return slot
    }

    /// Answers without a slot.
    private mutating func reject(
        _ request: ReplicaRequest, on link: LinkID, _ status: ReplyStatus
    ) -> ReplicaSlot? {
        let reply = ReplicaReply(request.kind, id: request.id, status: status, epoch: state.promised)
        actions.append(.reply(link, reply, nil))
        return nil
    }

    private func isSound(_ request: ReplicaRequest) -> Bool {
        let (end, overflow) = request.range.offset.addingReportingOverflow(request.range.length)
        switch request.kind {
        case .read, .write, .discard, .writeZeroes:
            guard !overflow, request.range.length > 0, request.range.isBlockAligned,
                end <= map.regionCount * Geometry.regionBytes
            else { return false }
            if request.kind.changesData && request.generation == 0 { return false }
            return request.kind == .read || request.kind == .write
                ? request.range.firstRegion == request.range.lastRegion
                : request.range.length <= ReplicationLimits.discardBytesMax
        case .list: return request.range.offset <= map.regionCount
        case .promise, .flush, .lease, .giveLeaseBack, .checkpoint, .whole: return true
        }
    }

    private mutating func receivedLease(_ request: ReplicaRequest, on link: Link) -> ReplicaSlot? {
        lease.holder = link.instance
        lease.until = max(lease.until, now + timing.leaseAtReplica)
        return reject(request, on: link.id, .ok)
    }

    // MARK: Changes of data

    private mutating func receivedChange(_ slot: ReplicaSlot, _ request: ReplicaRequest) {
        let stamp = Stamp(request.epoch, request.generation)
        let range = request.range
        var touchesWritten = false
        for region in range.firstRegion...range.lastRegion {
            // Nothing was ever written there: it reads as zeros already, and stays unmarked.
            if request.kind != .write && map[region] == .zero { continue }
            touchesWritten = true
            if faults.contains(.copyWithoutMark) && request.isCopy { continue }
            _ = map.raise(region, to: stamp)
        }
        if !touchesWritten {
            answer(slot, .ok)
            return
        }
        operations[Int(slot)].mark = map.lastChange
        if isMarked(slot) || faults.contains(.dataBeforeMark) {
            perform(slot)
        } else {
            waitingForMark.append(slot)
        }
        writePages(of: range)
    }

    private func pages(of range: ByteRange) -> ClosedRange<Int> {
        RegionMap.page(of: range.firstRegion)...RegionMap.page(of: range.lastRegion)
    }

    private func isMarked(_ slot: ReplicaSlot) -> Bool {
        let operation = operations[Int(slot)]
        return map.isDurable(pages: pages(of: operation.request.range), upTo: operation.mark)
    }

    private mutating func writePages(of range: ByteRange) {
        for page in pages(of: range) where map.beginWriting(page: page) {
            actions.append(.writePage(page))
        }
    }

    /// A `writePage` has ended.
    public mutating func pageWritten(_ page: Int, isDurable: Bool, now: Instant) {
        self.now = now
        guard isDurable else {
            becomeFaulty()
            return
        }
        map.finishedWriting(page: page)
        if map.beginWriting(page: page) { actions.append(.writePage(page)) }
        var kept = 0
        for index in waitingForMark.indices {
            let slot = waitingForMark[index]
            if isMarked(slot) {
                perform(slot)
            } else {
                waitingForMark[kept] = slot
                kept += 1
            }
        }
        waitingForMark.removeLast(waitingForMark.count - kept)
    }

    private mutating func perform(_ slot: ReplicaSlot) {
        operations[Int(slot)].isPerforming = true
        actions.append(.perform(slot))
    }

    /// A `perform` has ended.
    /// - Parameter nextRegion: list only: where the next page begins.
    public mutating func performed(
        _ slot: ReplicaSlot, _ status: ReplyStatus, nextRegion: UInt64 = ReplicaReply.listEnd,
        now: Instant
    ) {
        self.now = now
        let request = operations[Int(slot)].request
        operations[Int(slot)].isPerforming = false
        let isFailedFlush = status != .ok && request.kind == .flush
        answer(
            slot,
            ReplicaReply(
                request.kind, id: request.id, status: status, epoch: state.promised,
                nextRegion: nextRegion))
        // What a failed flush lost is not known, and a second one would hide it.
        if isFailedFlush { becomeFaulty() }
        promiseIfReady()
    }

    /// The drive failed where it may not: nothing more is served until the replica is reopened.
    mutating func becomeFaulty() {
        if isFaulty { return }
        isFaulty = true
        isIntact = false
        for slot in waitingForMark { answer(slot, .ioError) }
        waitingForMark.removeAll(keepingCapacity: true)
        for waiter in waitingForState { answer(waiter.slot, .ioError) }
        waitingForState.removeAll(keepingCapacity: true)
        if let promise = pending {
            pending = nil
            answer(promise.slot, .ioError)
        }
    }
}
