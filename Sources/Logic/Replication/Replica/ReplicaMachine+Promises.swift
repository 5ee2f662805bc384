import Units
import WireFormat

/// Promises, and the other changes of the durable state.
extension ReplicaMachine {
    mutating func receivedPromise(_ request: ReplicaRequest, on link: Link) -> ReplicaSlot? {
        let isRepeated = request.epoch == state.promised && link.instance == state.promisedTo
        guard request.epoch > state.promised || isRepeated else {
            // Two instances cannot have made the same epoch by compare-and-swap.
            actions.append(
                .reply(
                    link.id,
                    ReplicaReply(.promise, id: request.id, status: .invalid, epoch: state.promised),
                    nil))
            return nil
        }
        guard let slot = take(request, from: link.id) else {
            actions.append(.closeLink(link.id))
            disconnected(link.id, now: now)
            return nil
        }
        let older = pending
        pending = PendingPromise(request: request, link: link.id, instance: link.instance, slot: slot)
        sameBootAtPromise = state.promisedBoot == boot
        if !isRepeated || !sameBootAtPromise {
            state.promised = request.epoch
            state.promisedTo = link.instance
            state.promisedBoot = boot
            if faults.contains(.intactAtPromise) {
                isIntact = true
                state.wholeBoot = boot
            }
            writeState()
        }
        if let older { answer(older.slot, .refused) }
        promiseIfReady()
        return slot
    }

    /// Answers the pending promise once it is durable, I/O accepted before it has ended, and the
    /// leases of other owners have run out (rule 6).
    mutating func promiseIfReady() {
        guard let promise = pending, durable.promised >= promise.request.epoch else { return }
        if hasDataUnderWay && !faults.contains(.promiseBeforeDrained) && !overlooksOld(promise) { return }
        if lease.holder != promise.instance && lease.until > now && !faults.contains(.skipLeaseWait) {
            actions.append(.wake(lease.until))
            return
        }
        pending = nil
        let holding = Holding(
            checkpoint: durable.checkpoint, intact: isIntact, sameBoot: sameBootAtPromise)
        answer(
            promise.slot,
            ReplicaReply(
                .promise, id: promise.request.id, status: .ok, epoch: state.promised,
                holding: holding))
    }

    /// Planted: what an old connection of the same owner has under way is not waited for.
    private func overlooksOld(_ promise: PendingPromise) -> Bool {
        faults.contains(.oldConnectionLives)
            && links.contains { $0.isClosed && $0.instance == promise.instance }
    }

    /// Requests accepted before the pending promise: data still on its way to the drive.
    private var hasDataUnderWay: Bool {
        let others = pending == nil ? 0 : 1
        return ReplicationLimits.replicaOperationsMax - freeSlots.count
            - waitingForState.count > others
    }

    mutating func receivedStateChange(_ slot: ReplicaSlot, checkpoint: Stamp, whole: Bool) {
        if whole {
            isIntact = true
            state.wholeBoot = boot
        } else {
            state.checkpoint = max(state.checkpoint, checkpoint)
        }
        waitingForState.append(StateWaiter(slot: slot, checkpoint: checkpoint, whole: whole))
        writeState()
    }

    private mutating func writeState() {
        if isWritingState { return }
        if state == durable {
            stateIsDurable()
            return
        }
        isWritingState = true
        actions.append(.writeState(state))
    }

    /// A `writeState` of `written` has ended.
    public mutating func stateWritten(_ written: ReplicaState, isDurable: Bool, now: Instant) {
        self.now = now
        isWritingState = false
        guard isDurable else {
            becomeFaulty()
            return
        }
        durable = written
        stateIsDurable()
        if state != durable { writeState() }
    }

    private mutating func stateIsDurable() {
        var kept = 0
        for index in waitingForState.indices {
            let waiter = waitingForState[index]
            let isDone =
                waiter.whole ? durable.wholeBoot == boot : durable.checkpoint >= waiter.checkpoint
            if isDone {
                answer(waiter.slot, .ok)
            } else {
                waitingForState[kept] = waiter
                kept += 1
            }
        }
        waitingForState.removeLast(waitingForState.count - kept)
        promiseIfReady()
    }

    /// The time has come that a `wake` named, or any other.
    public mutating func tick(now: Instant) {
        self.now = now
        promiseIfReady()
    }
}
