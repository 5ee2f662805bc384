import Records
import Units
import WireFormat

/// Bringing one replica in sync while clients go on: rule 17.
///
///    connecting ─▶ draining ─▶ listing ─▶ copying ─▶ catchingUp ─▶ flushing ─▶
///       (a)         (b) (c)      (d)        (e)       (f) (g)        (h)
///    ─▶ checkpointing ─▶ makingWhole ─▶ promoting ─▶ in sync
///            (h)             (h)           (i)
///
/// The target is dropped whenever it misses anything; its map and checkpoint stay, and the next
/// rebuild starts from them (rule 18).
struct Rebuild {
    enum Phase: Equatable {
        case connecting, draining, listing, copying, catchingUp, flushing, checkpointing, makingWhole
        case promoting
    }

    let peer: PeerIndex
    /// A void replica's checkpoint counts for nothing.
    let isFull: Bool
    var phase = Phase.connecting
    /// Operations up to this one have to end before the next phase.
    var drainUpTo: UInt64 = 0
    var list: RegionList?
    /// The source's list comes first, then the target's own.
    var sourceIsListed = false
    var done: UInt64 = 0
    var total: UInt64 = 0
    /// The checkpoint or `whole` was sent on the present link.
    var isAsked = false
    /// The owner's checkpoint as read before the target's flush.
    var checkpoint = Stamp.zero
    /// It missed something while the change that makes it in sync was under way (rule 17j).
    var hasMissed = false
}

extension OwnerMachine {
    /// Starts to bring a stale replica in sync.
    /// - Returns: false while that is not possible: ask again later.
    public mutating func startRebuild(of replica: ReplicaID, now: Instant) -> Bool {
        self.now = now
        guard phase == .serving, reconciliation == nil, rebuild == nil, !closeRequested,
            let index = peer(of: replica), !recordedInSync.has(index), !proposedInSync.has(index)
        else { return false }
        rebuild = Rebuild(peer: index, isFull: peers[index].record.isVoid)
        rebuildWork.removeAll()
        peers[index].mustLeave = false
        peers[index].silentSince = now
        openLink(index)
        actions.append(.notify(.rebuildStarted(replica)))
        return true
    }

    /// Does the next step of the rebuild if nothing is in its way.
    mutating func proceedWithRebuild() {
        guard let current = rebuild, phase == .serving else { return }
        let index = current.peer
        let isReady = peers[index].link == .ready
        switch current.phase {
        case .connecting:
            if isReady { beginForwarding() }
        case .draining:
            if isDrained(upTo: current.drainUpTo) { beginRebuildLists() }
        case .listing: askRebuildList()
        case .copying:
            if rebuildWork.isEmpty && activeCopies.isEmpty { beginCatchingUp() }
        case .catchingUp:
            if isDrained(upTo: current.drainUpTo) { beginTargetFlush() }
        case .flushing: break
        case .checkpointing: if isReady && !current.isAsked { sendTargetCheckpoint() }
        case .makingWhole:
            if isReady && !current.isAsked {
                rebuild!.isAsked = true
                sendWhole(to: index)
            }
        case .promoting: promoteIfFree()
        }
    }

    private mutating func beginForwarding() {
        if !faults.contains(.listBeforeDrained) { forwarded.insert(PeerMask(rebuild!.peer)) }
        rebuild!.phase = .draining
        rebuild!.drainUpTo = sequence
        mustProceed = true
    }

    /// Whether every operation up to that one that changes data has ended.
    private func isDrained(upTo last: UInt64) -> Bool {
        var slot = oldest
        while slot >= 0 {
            let operation = operations[Int(slot)]
            if operation.sequence > last { return true }
            if operation.changesData { return false }
            slot = operation.next
        }
        return true
    }

    // MARK: Lists

    private var rebuildFloor: Stamp {
        rebuild!.isFull ? .zero : peers[rebuild!.peer].holding.checkpoint
    }

    private mutating func beginRebuildLists() {
        guard let source = rebuildSource() else { return }
        rebuild!.phase = .listing
        rebuild!.list = RegionList(peer: source, floor: rebuildFloor)
        askRebuildList()
    }

    private func rebuildSource() -> PeerIndex? {
        for index in recordedInSync.members where peers[index].link == .ready && peers[index].isLocal {
            return index
        }
        for index in recordedInSync.members where peers[index].link == .ready { return index }
        return nil
    }

    mutating func askRebuildList() {
        guard let list = rebuild?.list, !list.isAsked, peers[list.peer].link == .ready else { return }
        rebuild!.list!.isAsked = true
        send(
            ReplicaRequest(
                .list, id: idWithoutSlot(list.next), epoch: epoch,
                range: ByteRange(offset: list.next, length: 0), stamp: list.floor),
            to: list.peer, nil)
    }

    mutating func rebuildListed(next: UInt64) {
        rebuild!.list!.isAsked = false
        rebuild!.list!.next = next
        if next != ReplicaReply.listEnd {
            askRebuildList()
        } else if !rebuild!.sourceIsListed {
            rebuild!.sourceIsListed = true
            rebuild!.list = RegionList(peer: rebuild!.peer, floor: rebuildFloor)
            askRebuildList()
        } else {
            rebuild!.list = nil
            if faults.contains(.listBeforeDrained) { forwarded.insert(PeerMask(rebuild!.peer)) }
            rebuild!.phase = .copying
            rebuild!.total = rebuildWork.count
            mustProceed = true
        }
    }

    /// The replica whose list was asked for has left: another one's counts.
    mutating func relistRebuild(without gone: PeerMask) {
        guard let list = rebuild?.list, gone.has(list.peer), !rebuild!.sourceIsListed else { return }
        rebuild!.phase = .draining
        rebuild!.list = nil
        rebuildWork.removeAll()
    }

    // MARK: Promotion

    /// (f): from here on an acknowledgement, a flush and a lease need the target too.
    private mutating func beginCatchingUp() {
        let mask = PeerMask(rebuild!.peer)
        candidate.insert(mask)
        forwarded.remove(mask)
        rebuild!.phase = .catchingUp
        rebuild!.drainUpTo = sequence
        // A flush under way has to cover what the target was sent before it.
        var slot = oldest
        while slot >= 0 {
            let operation = operations[Int(slot)]
            if operation.kind == .flush && operation.state == .spreading {
                operations[Int(slot)].targets.insert(mask)
                sendChange(OwnerSlot(slot), to: rebuild!.peer)
            }
            slot = operation.next
        }
        if faults.contains(.closeWithoutCandidate) { candidate.remove(mask); forwarded.insert(mask) }
        mustProceed = true
    }

    private mutating func beginTargetFlush() {
        rebuild!.checkpoint = checkpoint
        if faults.contains(.promoteWithoutFlush) {
            rebuild!.phase = .checkpointing
            mustProceed = true
            return
        }
        rebuild!.phase = .flushing
        var operation = OwnerOperation()
        operation.kind = .targetFlush
        operation.targets = PeerMask(rebuild!.peer)
        _ = begin(operation)
    }

    mutating func targetFlushFinished(_ operation: OwnerOperation) {
        guard let current = rebuild, current.phase == .flushing,
            operation.answered.has(current.peer)
        else { return }
        rebuild!.phase = .checkpointing
        mustProceed = true
    }

    private mutating func sendTargetCheckpoint() {
        rebuild!.isAsked = true
        send(
            ReplicaRequest(
                .checkpoint, id: idWithoutSlot(epoch), epoch: epoch, stamp: rebuild!.checkpoint),
            to: rebuild!.peer, nil)
    }

    /// - Returns: whether the answer was the rebuild's.
    mutating func rebuildCheckpointAnswered(_ index: PeerIndex, _ reply: ReplicaReply) -> Bool {
        guard let current = rebuild, current.peer == index, current.phase == .checkpointing else { return false }
        if reply.status != .ok {
            fail(index)
        } else {
            rebuild!.phase = .makingWhole
            rebuild!.isAsked = false
            mustProceed = true
        }
        return true
    }

    mutating func rebuildWholeAnswered(_ index: PeerIndex, _ reply: ReplicaReply) {
        guard let current = rebuild, current.peer == index, current.phase == .makingWhole,
            reply.status == .ok
        else { return }
        rebuild!.phase = .promoting
        mustProceed = true
    }

    private mutating func promoteIfFree() {
        guard change == nil else { return }
        let replica = peers[rebuild!.peer].record.id
        var proposed = recorded
        for position in proposed.replicas.indices where proposed.replicas[position].id == replica {
            proposed.replicas[position].state = .inSync
            proposed.replicas[position].isVoid = false
        }
        propose(proposed, .promote(replica))
    }

    /// The record names the target in sync.
    mutating func promoted(_ replica: ReplicaID) {
        guard let current = rebuild, peers[current.peer].record.id == replica else { return }
        candidate.remove(PeerMask(current.peer))
        forwarded.remove(PeerMask(current.peer))
        rebuild = nil
        if current.hasMissed && !faults.contains(.candidateReconnects) {
            peers[current.peer].mustLeave = true
        }
        actions.append(.notify(.replicaJoined(replica, epoch)))
    }

    // MARK: Failure

    /// The target has missed something, or may have.
    mutating func rebuildTargetLost() {
        guard let current = rebuild else { return }
        if change?.purpose == .promote(peers[current.peer].record.id) {
            rebuild!.hasMissed = true
        } else {
            abandonRebuild(notifying: true)
        }
        mustProceed = true
    }

    mutating func abandonRebuild(notifying: Bool) {
        guard let current = rebuild else { return }
        let replica = peers[current.peer].record.id
        rebuild = nil
        rebuildWork.removeAll()
        if reconciliation == nil { abandonCopies() }
        if !recordedInSync.has(current.peer) { dropPeer(current.peer) }
        if notifying { actions.append(.notify(.rebuildFailed(replica))) }
    }
}
