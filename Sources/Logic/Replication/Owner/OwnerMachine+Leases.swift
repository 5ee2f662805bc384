import Units
import WireFormat

/// Read leases: from the whole ack set, counted from when they were asked for, and checked when
/// the data has arrived (rule 8). They are renewed only while there are reads.
extension OwnerMachine {
    var hasLeases: Bool {
        let from = leaseSet
        for index in from.members where peers[index].leaseUntil <= now { return false }
        return !from.isEmpty
    }

    private var leaseSet: PeerMask {
        guard faults.contains(.leaseFromOne), let first = ackSet.first else { return ackSet }
        return PeerMask(first)
    }

    /// Asks every peer whose lease is missing, or half used up, and was not asked yet.
    mutating func askLeases() {
        let renewal = now + Span(nanoseconds: timing.lease.nanoseconds / 2)
        for index in ackSet.members {
            guard peers[index].link == .ready, peers[index].leaseAskedAt == nil,
                peers[index].leaseUntil <= renewal
            else { continue }
            peers[index].leaseAskedAt = now
            send(ReplicaRequest(.lease, id: idWithoutSlot(epoch), epoch: epoch), to: index, nil)
        }
    }

    mutating func askLeasesIfReadsWait() {
        if leaseWaitCount > 0 { askLeases() }
    }

    mutating func leaseAnswered(_ index: PeerIndex, _ reply: ReplicaReply) {
        guard let asked = peers[index].leaseAskedAt else { return }
        peers[index].leaseAskedAt = nil
        guard reply.status == .ok else {
            fail(index)
            return
        }
        peers[index].leaseUntil = max(peers[index].leaseUntil, asked + timing.lease)
        completeLeasedReads()
    }

    mutating func completeLeasedReads() {
        guard leaseWaitCount > 0 else { return }
        guard hasLeases else {
            askLeases()
            return
        }
        var slot = oldest
        while slot >= 0 {
            let next = operations[Int(slot)].next
            if operations[Int(slot)].state == .leaseWait {
                leaseWaitCount -= 1
                acknowledge(OwnerSlot(slot), .ok)
                finish(OwnerSlot(slot))
            }
            slot = next
        }
    }
}
