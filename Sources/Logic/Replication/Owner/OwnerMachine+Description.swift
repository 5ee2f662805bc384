import Units

/// In words, for logs, reports and the simulator's stories.
extension OwnerMachine {
    /// What it deals with at this moment: phase, sets, peers and operations under way.
    public var summary: String {
        var lines = [
            "\(phase) epoch \(epoch) generation \(generation) checkpoint \(checkpoint), unequal "
                + "\(unequal.count), change \(change.map { "\($0.purpose)" } ?? "none"), rebuild "
                + "\(rebuild.map { "\($0.phase) of \($0.peer)" } ?? "none"), closing \(closing != nil), "
                + "waiting \(waitingCount), lease waits \(leaseWaitCount)"
        ]
        for index in peersInUse.members {
            let peer = peers[index]
            lines.append(
                "peer \(index) \(peer.record.state) link \(peer.link) promised \(peer.promised) "
                    + "unanswered \(peer.unanswered) silent \(peer.silentSince != nil) must leave "
                    + "\(peer.mustLeave) checkpoint \(peer.holding.checkpoint)")
        }
        var slot = oldest
        while slot >= 0 {
            let operation = operations[Int(slot)]
            lines.append(
                "operation \(slot): \(operation.kind) \(operation.state) at \(operation.range.offset)+"
                    + "\(operation.range.length) targets \(operation.targets.rawValue) sent "
                    + "\(operation.sent.rawValue) answered \(operation.answered.rawValue) source "
                    + "\(operation.source) acknowledged \(operation.isAcknowledged)")
            slot = operation.next
        }
        return lines.joined(separator: "\n")
    }
}
