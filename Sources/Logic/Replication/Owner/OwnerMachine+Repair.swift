import Units
import WireFormat

/// Blocks that a replica in sync cannot read, or that do not match their checksums there, while
/// another one has them: they are written anew in place (rule 22).
///
/// A partial write and a copy of a reconciliation do so by themselves; a read, and a copy of a
/// rebuild, are followed by a repair.
extension OwnerMachine {
    /// After the read. It reads once more: by the time its turn comes, newer data may lie there.
    mutating func repair(_ read: OwnerOperation) {
        guard !closeRequested, repairsUnderWay < ReplicationLimits.repairsMax else { return }
        repairsUnderWay += 1
        var operation = OwnerOperation()
        operation.kind = .repair
        operation.range = read.range
        operation.damaged = read.damaged
        operation.tried = read.damaged
        _ = begin(operation)
    }

    mutating func repairFinished(_ operation: OwnerOperation) {
        repairsUnderWay -= 1
        if operation.status == .ok { tellRepairs(of: operation) }
        mustProceed = true
    }

    mutating func tellRepairs(of operation: OwnerOperation) {
        let repaired = operation.damaged.intersection(operation.answered)
        for index in repaired.intersection(recordedInSync).members {
            actions.append(.notify(.repaired(peers[index].record.id, operation.range)))
        }
    }
}
