import Units
import WireFormat

/// A generation on its way to become the checkpoint.
struct GenerationClose {
    let generation: Generation
    /// The flush of the ack set is under way.
    var isFlushing = false
}

/// Checkpoints: rule 13. A generation is closed in the background, without stopping anything:
/// new writes take the next number; when the older ones have ended, the ack set is flushed, and
/// those in sync that took part are told. Nothing closes before the replicas are equal (rule 14).
extension OwnerMachine {
    mutating func closeGenerationIfDue() {
        guard let first = firstWriteOfGeneration else { return }
        let due = first + timing.closeGeneration
        if due <= now { closeGeneration() } else { wake(at: due) }
    }

    /// Begins to close the present generation, if anything was written in it.
    mutating func closeGeneration() {
        guard phase == .serving || phase == .closing, !isReconciling, closing == nil, change == nil,
            firstWriteOfGeneration != nil
        else { return }
        closing = GenerationClose(generation: generation)
        firstWriteOfGeneration = nil
        olderChangesUnderWay = changesUnderWay
        changesUnderWay = 0
        generation += 1
        mustProceed = true
    }

    mutating func proceedWithGeneration() {
        guard let current = closing, !current.isFlushing, olderChangesUnderWay == 0,
            !isReconciling
        else { return }
        closing!.isFlushing = true
        var operation = OwnerOperation()
        operation.kind = .closingFlush
        _ = begin(operation)
    }

    mutating func closingFlushFinished(_ operation: OwnerOperation) {
        guard let done = closing, done.isFlushing else { return }
        closing = nil
        mustProceed = true
        checkpoint = max(checkpoint, Stamp(epoch, done.generation))
        var told = recordedInSync.intersection(operation.answered)
        if faults.contains(.closeWithoutCandidate), let rebuild, rebuild.phase != .connecting {
            told.insert(PeerMask(rebuild.peer))
            self.rebuild!.checkpoint = checkpoint
        }
        for index in told.members where peers[index].link == .ready {
            checkpointsUnanswered += 1
            send(
                ReplicaRequest(.checkpoint, id: idWithoutSlot(epoch), epoch: epoch, stamp: checkpoint),
                to: index, nil)
        }
    }

    mutating func checkpointAnswered(_ index: PeerIndex, _ reply: ReplicaReply) {
        if rebuildCheckpointAnswered(index, reply) { return }
        if checkpointsUnanswered > 0 { checkpointsUnanswered -= 1 }
        if reply.status != .ok { fail(index) }
        if closeRequested { mustProceed = true }
    }

    /// A new epoch has begun: the generation that was being closed is not one any more.
    mutating func abandonClosingFlush() {
        var slot = oldest
        while slot >= 0 {
            let next = operations[Int(slot)].next
            if operations[Int(slot)].kind == .closingFlush { finish(OwnerSlot(slot)) }
            slot = next
        }
    }
}
