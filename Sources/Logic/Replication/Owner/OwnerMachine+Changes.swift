import Records
import Units

/// Changes of the configuration record: one at a time, recorded first and promised after
/// (rules 1 to 4).
extension OwnerMachine {
    /// Makes this instance the owner in a new epoch, or takes a new epoch to begin again.
    mutating func claim() {
        phase = .claiming
        if faults.contains(.reuseEpoch), recorded.owner?.node == me.node, !recorded.released {
            epoch = recorded.epoch
            syncPeersWithRecord()
            beginCollecting()
            return
        }
        var proposed = recorded
        proposed.owner = me
        proposed.released = false
        propose(proposed, .claim)
    }

    mutating func propose(
        _ configuration: VolumeConfiguration, _ purpose: ConfigurationChange.Purpose,
        dropped: [ReplicaRecord] = []
    ) {
        require(change == nil, "two changes of one record at a time")
        changeCount += 1
        var proposed = configuration
        proposed.epoch = recorded.epoch + 1
        proposed.nonce = Identifier(high: me.instance.high &+ changeCount, low: me.instance.low)
        require(
            recorded.inSync.isEmpty || !proposed.inSync.isEmpty, "a change may not empty the in-sync set")
        change = ConfigurationChange(proposed: proposed, purpose: purpose, dropped: dropped)
        proposedInSync = []
        for record in proposed.replicas where record.state == .inSync {
            if let index = peer(of: record.id) { proposedInSync.insert(PeerMask(index)) }
        }
        actions.append(.changeConfiguration)
        if faults.contains(.acknowledgeBeforeRecorded), purpose == .removeSilent {
            recordedInSync = proposedInSync
            advanceAll()
        }
    }

    /// The metadata service has answered the change under way.
    public mutating func configurationAnswered(_ answer: ChangeAnswer, now: Instant) {
        self.now = now
        guard phase != .ended, let change else { return }
        switch answer {
        case .unknown:
            actions.append(.changeConfiguration)
        case .conflict(let record) where record.nonce == change.proposed.nonce:
            changeRecorded(change)
        case .conflict(let record):
            if faults.contains(.outcomeByReading), record.epoch == recorded.epoch {
                self.change = nil
                proposedInSync = []
                proceed()
            } else {
                end(.deposed(epoch: record.epoch))
            }
        case .recorded:
            changeRecorded(change)
        }
    }

    private mutating func changeRecorded(_ done: ConfigurationChange) {
        let before = recordedInSync
        recorded = done.proposed
        change = nil
        proposedInSync = []
        takeEpoch(recorded.epoch)
        syncPeersWithRecord()
        noteDepartures(before.subtracting(recordedInSync))
        switch done.purpose {
        case .claim: beginCollecting()
        case .removeSilent: break
        case .promote(let replica): promoted(replica)
        case .add(let replica): actions.append(.notify(.replicaAdded(replica)))
        case .free(let replica): actions.append(.notify(.replicaFreed(replica)))
        case .release:
            end(.released)
            return
        }
        askPromises()
        skipLists(of: before.subtracting(recordedInSync))
        relistRebuild(without: before.subtracting(recordedInSync))
        resumeReads()
        advanceAll()
        proceed()
    }

    private mutating func noteDepartures(_ gone: PeerMask) {
        for index in gone.members {
            if peersInUse.has(index) {
                peers[index].mustLeave = false
                peers[index].hasLostWrites = false
                dropPeer(index)
                actions.append(.notify(.replicaLeft(peers[index].record.id, epoch)))
            }
        }
    }

    /// A new epoch starts with generation 1; what is under way belongs to it from here on.
    private mutating func takeEpoch(_ new: Epoch) {
        epoch = new
        generation = 1
        closing = nil
        // Nothing is sent to anybody before the promise of this epoch.
        for index in peersInUse.members where peers[index].link == .ready {
            peers[index].link = .greeting
        }
        changesUnderWay += olderChangesUnderWay
        olderChangesUnderWay = 0
        var slot = oldest
        while slot >= 0 {
            operations[Int(slot)].generation = 1
            slot = operations[Int(slot)].next
        }
        abandonClosingFlush()
        if changesUnderWay > 0 && firstWriteOfGeneration == nil { firstWriteOfGeneration = now }
    }

    /// Makes the table of peers and the in-sync mask what the record says.
    private mutating func syncPeersWithRecord() {
        var kept: PeerMask = []
        recordedInSync = []
        for record in recorded.replicas {
            guard let index = peer(of: record.id) ?? freePeer() else { continue }
            if !peersInUse.has(index) {
                (peers + index).initialize(to: OwnerPeer(record: record))
                peers[index].isLocal = record.node == me.node
                peersInUse.insert(PeerMask(index))
            }
            peers[index].record = record
            kept.insert(PeerMask(index))
            if record.state == .inSync { recordedInSync.insert(PeerMask(index)) }
        }
        for index in peersInUse.subtracting(kept).members {
            dropPeer(index)
            peersInUse.remove(PeerMask(index))
        }
    }

    private func freePeer() -> PeerIndex? {
        (0..<ReplicationLimits.peersMax).first { !peersInUse.has($0) }
    }

    // MARK: Removal of replicas that hold the volume back

    /// Proposes the in-sync set without those that failed or are silent, if anything remains.
    mutating func proposeRemovals() {
        guard change == nil, phase == .serving || phase == .closing || phase == .listing else { return }
        var leaving: PeerMask = []
        for index in recordedInSync.members {
            if peers[index].mustLeave || isSilent(index) { leaving.insert(PeerMask(index)) }
        }
        if leaving.isEmpty { return }
        if let reconciliation, leaving.has(reconciliation.source) {
            restartClaim()
            return
        }
        let remaining = recordedInSync.subtracting(leaving)
        if remaining.isEmpty {
            keepTheLast()
        } else if remaining.members.contains(where: { peers[$0].link == .ready }) {
            // Of those that are not reached either, nobody knows whether they are any better.
            proposeRemoval(of: leaving)
        }
    }

    /// Nobody may leave: clients hear of the errors instead, of whoever answers. Where the only one
    /// that answers has lost writes, the session is over (rule 20).
    private mutating func keepTheLast() {
        for index in recordedInSync.members where peers[index].hasLostWrites {
            end(.lostWrites)
            return
        }
        for index in recordedInSync.members where peers[index].mustLeave && peers[index].link == .ready {
            peers[index].mustLeave = false
            sendAllAgain(to: index)
        }
    }

    mutating func proposeRemoval(of leaving: PeerMask) {
        var proposed = recorded
        for position in proposed.replicas.indices {
            if let index = peer(of: proposed.replicas[position].id), leaving.has(index) {
                proposed.replicas[position].state = .stale
            }
        }
        propose(proposed, .removeSilent)
    }

    /// The source of a reconciliation is lost: from the beginning, in a new epoch (rule 16).
    mutating func restartClaim() {
        // Before any lock is given up: nothing starts any more in this epoch, whose copies may
        // still be on their way.
        phase = .claiming
        abandonReconciliation()
        abandonRebuild(notifying: true)
        putBackReads()
        for index in peersInUse.members {
            peers[index].hasHolding = false
            peers[index].mustLeave = false
            peers[index].hasLostWrites = false
        }
        claim()
    }

    // MARK: Commands

    /// The record was read, for whatever reason. Where another instance owns the volume by now, the
    /// session is over: one whose replicas are all gone would not hear of it otherwise.
    public mutating func saw(_ record: VolumeConfiguration, now: Instant) {
        self.now = now
        guard record.epoch > recorded.epoch, record.owner != me else { return }
        end(.deposed(epoch: record.epoch))
    }

    /// Adds an empty replica to the record, stale: the first step of a rebuild onto a new place.
    /// A node holds one copy of a volume: whoever asks from an older record is not heard.
    /// - Returns: false while another change is under way; ask again later.
    public mutating func add(_ record: ReplicaRecord, now: Instant) -> Bool {
        self.now = now
        guard change == nil, phase == .serving, !closeRequested, freePeer() != nil,
            peer(of: record.id) == nil,
            !recorded.replicas.contains(where: { $0.node == record.node })
        else { return false }
        var proposed = recorded
        var added = record
        added.state = .stale
        proposed.replicas.append(added)
        propose(proposed, .add(record.id))
        return true
    }

    /// Drops a copy that is not needed: only in an epoch whose in-sync set holds the wanted number
    /// without it (invariant 9).
    public mutating func free(_ replica: ReplicaID, copiesWanted: Int, now: Instant) -> Bool {
        self.now = now
        guard change == nil, phase == .serving, !closeRequested, reconciliation == nil,
            let index = peer(of: replica), rebuild?.peer != index
        else { return false }
        let without = recordedInSync.subtracting(PeerMask(index))
        let enough = faults.contains(.freeTooEarly) ? 1 : copiesWanted
        guard without.count >= max(1, enough) else { return false }
        var proposed = recorded
        proposed.replicas.removeAll { $0.id == replica }
        propose(proposed, .free(replica), dropped: [peers[index].record])
        return true
    }
}
