import Units
import WireFormat

/// Making the replicas equal after a takeover.
struct Reconciliation {
    /// Whose content counts.
    let source: PeerIndex
    /// Whose content counts as well, where the source's is damaged.
    var deputies: PeerMask = []
    /// Lists still to be read, in this order: of a peer, the regions above a stamp.
    var lists: [RegionList]
    var copied: UInt64 = 0
    /// After one that failed: where to go on, and when.
    var nextRegion: UInt64 = 0
    var resumesAt = Instant.zero
}

/// One replica's list of regions above a stamp, read a page at a time.
struct RegionList {
    let peer: PeerIndex
    let floor: Stamp
    var next: UInt64 = 0
    var isAsked = false
}

/// Takeover: rules 15 and 16.
///
/// From every replica in sync comes a promise with its checkpoint. The source is an intact one
/// where there is any. A region may differ where the source's stamp, or a replica's own, is above
/// that replica's checkpoint; those regions serve nothing until the source's content is on all.
extension OwnerMachine {
    /// Before every replica is known to be equal: flushes wait, generations stay open.
    var isReconciling: Bool { phase != .serving && phase != .closing || reconciliation != nil }

    mutating func beginCollecting() {
        phase = .collecting
        for index in recordedInSync.members {
            peers[index].silentSince = now
            openLink(index)
        }
        askPromises()
        wake(at: now + timing.giveUp)
    }

    /// Goes on when every replica in sync has promised, or the silent ones were given up.
    mutating func collectIfReady() {
        guard phase == .collecting, change == nil else { return }
        let promised = promisedInSync
        let missing = recordedInSync.subtracting(promised)
        if missing.isEmpty {
            beginListing()
            return
        }
        // The patience for a silent one counts from the claim, so that an intact replica whose
        // node is a little late is still heard.
        for index in missing.members where !isSilent(index) && !peers[index].mustLeave {
            wake(at: silenceDeadline(index))
            return
        }
        if !promised.isEmpty { proposeRemoval(of: missing) }
    }

    private mutating func beginListing() {
        let source = chooseSource()
        for index in recordedInSync.members {
            checkpoint = max(checkpoint, peers[index].holding.checkpoint)
        }
        let content = peers[source].holding
        mayLackWrites = !content.intact && !content.sameBoot
        let others = recordedInSync.subtracting(PeerMask(source))
        reconciliation = Reconciliation(source: source, lists: [])
        // Each region is equal everywhere in the end, wherever it came from; one that may have
        // lost more than the source is no deputy.
        for index in others.members where standing(index) >= standing(source) {
            reconciliation!.deputies.insert(PeerMask(index))
        }
        // A write acknowledged now, and lost by the intact ones later, could be told by nothing
        // from what the others had lost before.
        let areIntact = recordedInSync.members.allSatisfy { peers[$0].holding.intact }
        awaitedWhole = areIntact ? [] : recordedInSync
        if others.isEmpty {
            beginServing()
            return
        }
        phase = .listing
        var lowest = peers[source].holding.checkpoint
        for index in others.members { lowest = min(lowest, peers[index].holding.checkpoint) }
        reconciliation!.lists.append(RegionList(peer: source, floor: lowest))
        for index in others.members {
            reconciliation!.lists.append(
                RegionList(peer: index, floor: peers[index].holding.checkpoint))
        }
        askList()
    }

    /// An intact replica, or one that has not booted since its last promise, or any.
    private func chooseSource() -> PeerIndex {
        var best = recordedInSync.first!
        if faults.contains(.anySource) {
            for index in recordedInSync.members where rank(index) < rank(best) { best = index }
            return best
        }
        for index in recordedInSync.members where rank(index) > rank(best) { best = index }
        return best
    }

    private func rank(_ index: PeerIndex) -> Int {
        standing(index) * 2 + (peers[index].isLocal ? 1 : 0)
    }

    /// How little it can have lost.
    private func standing(_ index: PeerIndex) -> Int {
        (peers[index].holding.intact ? 2 : 0) + (peers[index].holding.sameBoot ? 1 : 0)
    }

    // MARK: Lists

    /// The first region of the page that a list request with this id asked for.
    public static func listStart(of id: UInt64) -> UInt64 { id >> 16 }

    private mutating func askList() {
        guard let list = reconciliation?.lists.first, !list.isAsked else { return }
        guard peers[list.peer].link == .ready else { return }
        reconciliation!.lists[0].isAsked = true
        send(
            ReplicaRequest(
                .list, id: idWithoutSlot(list.next), epoch: epoch,
                range: ByteRange(offset: list.next, length: 0), stamp: list.floor),
            to: list.peer, nil)
    }

    /// The peer has promised again: what was asked of it before may be lost.
    mutating func relist(_ index: PeerIndex) {
        if reconciliation?.lists.first?.peer == index {
            reconciliation!.lists[0].isAsked = false
            askList()
        }
        if rebuild?.list?.peer == index {
            rebuild!.list!.isAsked = false
            askRebuildList()
        }
        if rebuild?.peer == index { rebuild!.isAsked = false }
    }

    /// A page of a replica's list has arrived.
    public mutating func listed(
        _ index: PeerIndex, _ reply: ReplicaReply, entries: UnsafeBufferPointer<RegionEntry>,
        now: Instant
    ) {
        self.now = now
        guard phase != .ended, peersInUse.has(index),
            peers[index].link == .ready || peers[index].link == .greeting
        else { return }
        peers[index].unanswered -= 1
        peers[index].silentSince = peers[index].unanswered > 0 ? now : nil
        if reply.status == .refused && reply.epoch > epoch {
            end(.deposed(epoch: reply.epoch))
            return
        }
        // Between two epochs: it is asked again after the promise.
        if peers[index].link == .greeting { return }
        if let list = reconciliation?.lists.first, list.isAsked, list.peer == index {
            guard isAnswer(reply, to: list) else { return }
            for entry in entries { unequal.insert(entry.region) }
            reconciliation!.lists[0].isAsked = false
            reconciliation!.lists[0].next = reply.nextRegion
            if reply.nextRegion == ReplicaReply.listEnd { reconciliation!.lists.removeFirst() }
            if reconciliation!.lists.isEmpty { beginServing() } else { askList() }
        } else if let list = rebuild?.list, list.isAsked, list.peer == index {
            guard isAnswer(reply, to: list) else { return }
            for entry in entries { rebuildWork.insert(entry.region) }
            rebuildListed(next: reply.nextRegion)
        }
        settle()
    }

    private mutating func isAnswer(_ reply: ReplicaReply, to list: RegionList) -> Bool {
        guard reply.id == idWithoutSlot(list.next) else { return false }
        if reply.status == .ok { return true }
        fail(list.peer)
        settle()
        return false
    }

    /// Replicas that left the in-sync set need no list.
    mutating func skipLists(of gone: PeerMask) {
        guard reconciliation != nil else { return }
        reconciliation!.lists.removeAll { gone.has($0.peer) }
        if phase == .listing && reconciliation!.lists.isEmpty { beginServing() }
    }

    // MARK: Copies

    private mutating func beginServing() {
        phase = .serving
        actions.append(.notify(.serving(epoch)))
        endReconciliationIfEqual()
        startAllWaiting()
        resumeReads()
        startCopies()
        mustProceed = true
    }

    /// Reads that found no replica ready, or whose last one has left.
    mutating func resumeReads() {
        var slot = oldest
        while slot >= 0 {
            let next = operations[Int(slot)].next
            if operations[Int(slot)].state == .reading && operations[Int(slot)].source < 0 {
                sendRead(OwnerSlot(slot))
            }
            slot = next
        }
    }

    /// Keeps a few copies under way: of the reconciliation first, then of the rebuild.
    mutating func startCopies() {
        guard phase == .serving || phase == .closing else { return }
        if let reconciliation {
            let targets = recordedInSync.subtracting(PeerMask(reconciliation.source))
            if targets.isEmpty {
                unequal.removeAll()
                endReconciliationIfEqual()
                startAllWaiting()
                return
            }
            guard reconciliation.resumesAt <= now else { return wake(at: reconciliation.resumesAt) }
            while activeCopies.count < ReplicationLimits.copiesMax,
                let region = nextRegion(in: unequal, from: reconciliation.nextRegion)
                    ?? nextRegion(in: unequal, from: 0)
            {
                startCopy(of: region, to: targets)
            }
        } else if let rebuild, rebuild.phase == .copying {
            while activeCopies.count < ReplicationLimits.copiesMax,
                let region = nextRegion(in: rebuildWork, from: 0)
            {
                startCopy(of: region, to: PeerMask(rebuild.peer))
            }
        }
    }

    /// The first region of the set that is not being copied.
    private func nextRegion(in set: borrowing RegionSet, from first: UInt64) -> UInt64? {
        var region = set.next(from: first)
        while let found = region, activeCopies.contains(found) { region = set.next(from: found + 1) }
        return region
    }

    private mutating func startCopy(of region: UInt64, to targets: PeerMask) {
        activeCopies.append(region)
        var operation = OwnerOperation()
        operation.kind = .copy
        let offset = region * Geometry.regionBytes
        operation.range = ByteRange(
            offset: offset, length: min(Geometry.regionBytes, sizeBytes - offset))
        operation.targets = targets
        _ = begin(operation)
    }

    mutating func copyFinished(_ operation: OwnerOperation) {
        let region = operation.range.firstRegion
        activeCopies.removeAll { $0 == region }
        mustProceed = true
        if operation.status != .ok { return }
        if reconciliation != nil {
            tellRepairs(of: operation)
            unequal.remove(region)
            reconciliation!.copied += 1
            startWaiting(overlapping: operation.range)
            endReconciliationIfEqual()
        } else if let rebuild, operation.answered.has(rebuild.peer) {
            rebuildWork.remove(region)
            self.rebuild!.done += 1
            actions.append(
                .notify(
                    .rebuildProgress(
                        peers[rebuild.peer].record.id, done: rebuild.done + 1, of: rebuild.total)))
        }
    }

    /// No source of a copy can read it. Of a rebuild, that ends it. Of a reconciliation, the others
    /// are copied meanwhile, and it is tried again: who lacks writes must not be asked instead.
    mutating func copyFailed(_ operation: OwnerOperation) {
        if reconciliation != nil {
            reconciliation!.nextRegion = operation.range.firstRegion + 1
            reconciliation!.resumesAt = now + timing.giveUp
        } else if let rebuild {
            fail(rebuild.peer)
        }
    }

    private mutating func endReconciliationIfEqual() {
        guard let done = reconciliation, done.lists.isEmpty, unequal.isEmpty, activeCopies.isEmpty
        else { return }
        reconciliation = nil
        actions.append(.notify(.reconciled(regions: done.copied)))
        for index in recordedInSync.members { sendWhole(to: index) }
        startAllWaiting()
        mustProceed = true
    }

    func wholeID() -> UInt64 { idWithoutSlot(epoch) }

    mutating func sendWhole(to index: PeerIndex) {
        guard peers[index].link == .ready else { return }
        send(ReplicaRequest(.whole, id: wholeID(), epoch: epoch), to: index, nil)
    }

    mutating func wholeAnswered(_ index: PeerIndex, _ reply: ReplicaReply) {
        if reply.status != .ok { fail(index) }
        if reply.status == .ok && reconciliation == nil { isWhole(index) }
        rebuildWholeAnswered(index, reply)
    }

    /// Told so durably, or not in sync any more: nothing waits for it to be whole.
    mutating func isWhole(_ index: PeerIndex) {
        guard awaitedWhole.has(index) else { return }
        awaitedWhole.remove(PeerMask(index))
        if awaitedWhole.isEmpty { mustStartWaiting = true }
        mustProceed = true
    }

    /// The last `whole` was answered.
    mutating func startIfWhole() {
        guard mustStartWaiting else { return }
        mustStartWaiting = false
        startAllWaiting()
    }

    // MARK: Beginning again

    mutating func abandonReconciliation() {
        reconciliation = nil
        unequal.removeAll()
        abandonCopies()
    }

    mutating func abandonCopies() {
        var slot = oldest
        while slot >= 0 {
            let next = operations[Int(slot)].next
            if operations[Int(slot)].kind == .copy {
                operations[Int(slot)].status = .ioError
                finish(OwnerSlot(slot))
            }
            slot = next
        }
        activeCopies.removeAll(keepingCapacity: true)
    }

    /// Reads under way begin again when it is known what may be read.
    mutating func putBackReads() {
        var slot = oldest
        while slot >= 0 {
            let operation = operations[Int(slot)]
            let isFlush = operation.kind == .flush && operation.state == .spreading
            if operation.state == .reading || operation.state == .leaseWait || isFlush {
                if operation.state == .leaseWait { leaseWaitCount -= 1 }
                putBack(OwnerSlot(slot))
            }
            slot = operation.next
        }
    }

    private mutating func putBack(_ slot: OwnerSlot) {
        if operations[Int(slot)].changesData { changeIsOver(operations[Int(slot)]) }
        operations[Int(slot)].state = .waiting
        operations[Int(slot)].source = -1
        let isRepair = operations[Int(slot)].kind == .repair
        operations[Int(slot)].tried = isRepair ? operations[Int(slot)].damaged : []
        operations[Int(slot)].sent = []
        operations[Int(slot)].answered = []
        operations[Int(slot)].targets = []
        waitingCount += 1
    }
}
