import Units
import WireFormat

/// Connections, promises and silence.
extension OwnerMachine {
    /// The peer's hello has been answered. Nothing was sent before.
    public mutating func linkUp(
        _ index: PeerIndex, incarnation: IncarnationID, boot: BootID, now: Instant
    ) {
        self.now = now
        guard phase != .ended, peersInUse.has(index), peers[index].link == .opening else { return }
        let isKnown = peers[index].boot != .zero
        let rebooted = isKnown && peers[index].boot != boot
        let restarted = isKnown && peers[index].incarnation != incarnation
        peers[index].incarnation = incarnation
        peers[index].boot = boot
        peers[index].link = .greeting
        peers[index].promised = 0
        peers[index].promiseAsked = 0
        if restarted { peers[index].leaseUntil = .zero }
        if rebooted && !faults.contains(.flushOverLostWrites) && lostUnflushedWrites(index) { return }
        askPromises()
        proceed()
    }

    /// Rule 20: a replica on another boot may have lost writes that it acknowledged.
    /// - Returns: whether the session has ended over it.
    private mutating func lostUnflushedWrites(_ index: PeerIndex) -> Bool {
        peers[index].hasHolding = false
        if phase == .collecting { return false }
        if rebuild?.peer == index && faults.contains(.candidateReconnects) { return false }
        // While its promotion is under way it may be in sync already: nothing is acknowledged
        // without it until the answer, and then it leaves (rule 17j).
        if rebuild?.peer == index { rebuildTargetLost() }
        guard recordedInSync.has(index) || proposedInSync.has(index) else { return false }
        peers[index].mustLeave = true
        peers[index].hasLostWrites = true
        var others = false
        for other in recordedInSync.members { if !peers[other].mustLeave { others = true } }
        if !others {
            end(.lostWrites)
            return true
        }
        return false
    }

    /// The link is gone, or could not be had.
    public mutating func linkDown(_ index: PeerIndex, now: Instant) {
        self.now = now
        guard phase != .ended, peersInUse.has(index), peers[index].link != .down else { return }
        forgetLink(index)
        peers[index].silentSince = peers[index].silentSince ?? now
        peers[index].retryAt = now + timing.reconnect
        wake(at: peers[index].retryAt)
        wake(at: now + timing.giveUp)
        if rebuild?.peer == index && !faults.contains(.candidateReconnects) { rebuildTargetLost() }
        proceed()
    }

    /// What was sent on the link counts as not sent.
    private mutating func forgetLink(_ index: PeerIndex) {
        peers[index].link = .down
        peers[index].promised = 0
        peers[index].promiseAsked = 0
        peers[index].leaseAskedAt = nil
        peers[index].unanswered = 0
        // A lost checkpoint message only costs work.
        checkpointsUnanswered = 0
        let mask = PeerMask(index)
        var slot = oldest
        while slot >= 0 {
            let next = operations[Int(slot)].next
            operations[Int(slot)].sent.remove(mask)
            if operations[Int(slot)].state == .reading && operations[Int(slot)].source == index {
                operations[Int(slot)].source = -1
                sendRead(OwnerSlot(slot))
            }
            slot = next
        }
    }

    /// The owner has no more to do with the peer: nothing waits for it any longer.
    mutating func dropPeer(_ index: PeerIndex) {
        let mask = PeerMask(index)
        candidate.remove(mask)
        forwarded.remove(mask)
        isWhole(index)
        if peers[index].link != .down {
            forgetLink(index)
            actions.append(.closeLink(index))
        }
        peers[index].wantsLink = false
        peers[index].silentSince = nil
        peers[index].leaseUntil = .zero
        peers[index].hasHolding = false
        peers[index].boot = .zero
        var slot = oldest
        while slot >= 0 {
            let next = operations[Int(slot)].next
            operations[Int(slot)].targets.remove(mask)
            slot = next
        }
        if rebuild?.peer == index { abandonRebuild(notifying: true) }
        advanceAll()
    }

    mutating func openLink(_ index: PeerIndex) {
        peers[index].wantsLink = true
        guard peers[index].link == .down else { return }
        peers[index].link = .opening
        peers[index].openingSince = now
        peers[index].silentSince = peers[index].silentSince ?? now
        actions.append(.openLink(index))
        wake(at: now + timing.giveUp)
    }

    mutating func reconnectWhereDue() {
        for index in peersInUse.members {
            guard peers[index].wantsLink, peers[index].link == .down else { continue }
            if peers[index].retryAt <= now { openLink(index) } else { wake(at: peers[index].retryAt) }
        }
    }

    // MARK: Promises

    /// Asks every greeted peer for the present epoch that was not asked for it yet.
    mutating func askPromises() {
        guard phase != .claiming, phase != .ended else { return }
        for index in peersInUse.members {
            let isLinked = peers[index].link == .greeting || peers[index].link == .ready
            // One that lost writes answers nothing before it has left: a flush least of all.
            guard isLinked, peers[index].promiseAsked != epoch, !peers[index].hasLostWrites
            else { continue }
            peers[index].link = .greeting
            peers[index].promiseAsked = epoch
            peers[index].silentSince = now
            wake(at: silenceDeadline(index))
            send(ReplicaRequest(.promise, id: idWithoutSlot(epoch), epoch: epoch), to: index, nil)
        }
    }

    mutating func promiseAnswered(_ index: PeerIndex, _ reply: ReplicaReply) {
        guard peers[index].link == .greeting, reply.id == idWithoutSlot(epoch) else { return }
        guard reply.status == .ok else {
            fail(index)
            actions.append(.closeLink(index))
            linkDown(index, now: now)
            return
        }
        peers[index].link = .ready
        peers[index].promised = epoch
        peers[index].silentSince = nil
        if phase == .collecting { peers[index].mustLeave = false }
        if !peers[index].hasHolding {
            peers[index].holding = reply.holding
            peers[index].hasHolding = true
        }
        sendAgain(to: index)
        if (phase == .serving || phase == .closing) && reconciliation == nil
            && awaitedWhole.has(index)
        {
            sendWhole(to: index)
        }
        relist(index)
        askLeasesIfReadsWait()
        mustProceed = true
    }

    /// The replicas in sync that have promised the present epoch.
    var promisedInSync: PeerMask {
        var mask: PeerMask = []
        for index in recordedInSync.members {
            if peers[index].promised == epoch && peers[index].hasHolding { mask.insert(PeerMask(index)) }
        }
        return mask
    }

    // MARK: Silence

    /// When the peer is given up: a promise may take as long as another owner's lease.
    func silenceDeadline(_ index: PeerIndex) -> Instant {
        guard let since = peers[index].silentSince else { return .distantFuture }
        let waitsForPromise = peers[index].link == .greeting
        let patience = waitsForPromise
            ? Span(nanoseconds: timing.giveUp.nanoseconds + timing.leaseAtReplica.nanoseconds * 2)
            : timing.giveUp
        return since + patience
    }

    func isSilent(_ index: PeerIndex) -> Bool { silenceDeadline(index) <= now }

    mutating func giveUpTheSilent() {
        for index in peersInUse.members {
            guard peers[index].wantsLink, peers[index].silentSince != nil else { continue }
            if isSilent(index) {
                if rebuild?.peer == index && !recordedInSync.has(index) { rebuildTargetLost() }
                // A link that looks open and answers nothing is opened anew.
                let isOpening = peers[index].link == .opening
                    && peers[index].openingSince + timing.giveUp > now
                if isOpening { wake(at: peers[index].openingSince + timing.giveUp) }
                if peers[index].link != .down && !isOpening {
                    actions.append(.closeLink(index))
                    linkDown(index, now: now)
                }
            } else {
                wake(at: silenceDeadline(index))
            }
        }
    }

    /// The peer cannot serve: it leaves the in-sync set, or the rebuild ends.
    mutating func fail(_ index: PeerIndex) {
        if rebuild?.peer == index && !recordedInSync.has(index) {
            rebuildTargetLost()
        } else {
            peers[index].mustLeave = true
        }
        mustProceed = true
    }

    // MARK: Sending

    static var noSlot: UInt64 { 0xFFFF }

    func idWithoutSlot(_ serial: UInt64) -> UInt64 { serial << 16 | Self.noSlot }

    mutating func send(_ request: ReplicaRequest, to index: PeerIndex, _ slot: OwnerSlot?) {
        peers[index].unanswered += 1
        if peers[index].silentSince == nil {
            peers[index].silentSince = now
            wake(at: now + timing.giveUp)
        }
        actions.append(.send(index, request, slot))
    }

    /// After a promise on a new link or in a new epoch: what has no answer goes again, in order.
    private mutating func sendAgain(to index: PeerIndex) {
        var slot = oldest
        while slot >= 0 {
            let next = operations[Int(slot)].next
            let operation = operations[Int(slot)]
            switch operation.state {
            case .spreading: sendChange(OwnerSlot(slot), to: index)
            case .reading where operation.source < 0: sendRead(OwnerSlot(slot))
            default: break
            }
            slot = next
        }
    }

    /// What it has answered badly, or not at all, goes again.
    mutating func sendAllAgain(to index: PeerIndex) {
        var slot = oldest
        while slot >= 0 {
            operations[Int(slot)].sent.remove(PeerMask(index))
            slot = operations[Int(slot)].next
        }
        sendAgain(to: index)
    }

    // MARK: Replies

    /// A reply has arrived on the peer's link.
    public mutating func replied(_ index: PeerIndex, _ reply: ReplicaReply, now: Instant) {
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
        switch reply.kind {
        case .promise: promiseAnswered(index, reply)
        case .lease: leaseAnswered(index, reply)
        case .read: readAnswered(index, reply)
        case .write, .discard, .writeZeroes, .flush: changeAnswered(index, reply)
        case .checkpoint: checkpointAnswered(index, reply)
        case .whole: wholeAnswered(index, reply)
        case .giveLeaseBack: break
        case .list: require(false, "a list's answer comes with its entries")
        }
        settle()
    }
}
