import Units
import WireFormat

/// The clean end of a session: what is under way ends, the last generation is closed, leases are
/// given back, and the record says that nobody has to wait for this owner any more.
extension OwnerMachine {
    /// No more requests are taken; `ended(.released)` follows when all is done.
    public mutating func close(now: Instant) {
        self.now = now
        if phase == .ended || closeRequested { return }
        closeRequested = true
        if phase == .serving && rebuild != nil { rebuildEndsForClose() }
        proceed()
    }

    private mutating func rebuildEndsForClose() {
        // A promotion under way is waited for: its answer is part of the record.
        if case .promote = change?.purpose { return }
        abandonRebuild(notifying: true)
    }

    mutating func proceedWithClose() {
        guard closeRequested, phase == .serving || phase == .closing, !isReconciling else { return }
        phase = .closing
        if rebuild != nil && change == nil { abandonRebuild(notifying: true) }
        guard oldest < 0, closing == nil, change == nil, checkpointsUnanswered == 0 else { return }
        if firstWriteOfGeneration != nil {
            closeGeneration()
            return
        }
        if releaseProposed { return }
        releaseProposed = true
        for index in ackSet.members where peers[index].link == .ready {
            send(ReplicaRequest(.giveLeaseBack, id: idWithoutSlot(epoch), epoch: epoch), to: index, nil)
            peers[index].leaseUntil = .zero
        }
        var proposed = recorded
        proposed.released = true
        propose(proposed, .release)
    }
}
