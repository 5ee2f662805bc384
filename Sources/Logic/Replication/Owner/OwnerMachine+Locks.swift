import Units

/// Range locks: overlapping requests are put in the order of their arrival, and exclude each other
/// both ways (rule 9). The list of operations under way *is* the lock table: it is short.
extension OwnerMachine {
    mutating func startIfFree(_ slot: OwnerSlot) {
        let operation = operations[Int(slot)]
        guard operation.state == .waiting, mayStart(operation) else { return }
        start(slot)
    }

    private func mayStart(_ operation: OwnerOperation) -> Bool {
        guard phase == .serving || phase == .closing else { return false }
        if operation.isFlush && faults.contains(.flushWhileReconciling) { return true }
        if operation.isClients && !awaitedWhole.isEmpty { return false }
        // What is copied after a flush is not durable by it: it waits for the end (rule 12).
        if operation.isFlush { return !isReconciling }
        if operation.kind != .copy && !unequal.isEmpty && !faults.contains(.serveBeforeEqual)
            && unequal.intersects(operation.range.firstRegion, operation.range.lastRegion)
        {
            return false
        }
        if operation.kind == .copy && faults.contains(.copyWithoutLock) { return true }
        if operation.kind == .repair && faults.contains(.repairWithoutLock) { return true }
        // A request that waits for this very copy is not in its way.
        let passesWaiting = operation.kind == .copy && reconciliation != nil
        var earlier = operation.previous
        while earlier >= 0 {
            let isPassed = passesWaiting && operations[Int(earlier)].state == .waiting
            if !isPassed && conflicts(operation, operations[Int(earlier)]) { return false }
            earlier = operations[Int(earlier)].previous
        }
        return true
    }

    private func conflicts(_ operation: OwnerOperation, _ earlier: OwnerOperation) -> Bool {
        if earlier.isFlush || !(operation.isExclusive || earlier.isExclusive) { return false }
        if earlier.kind == .copy && faults.contains(.copyWithoutLock) { return false }
        if earlier.kind == .read && faults.contains(.oneWayLock) { return false }
        return operation.range.overlaps(earlier.range)
    }

    /// Starts what waited for a range that has become free, oldest first.
    mutating func startWaiting(overlapping range: ByteRange) {
        var slot = oldest
        while slot >= 0 && waitingCount > 0 {
            let next = operations[Int(slot)].next
            let operation = operations[Int(slot)]
            if operation.state == .waiting && operation.range.overlaps(range) {
                startIfFree(OwnerSlot(slot))
            }
            slot = next
        }
    }

    mutating func startAllWaiting() {
        var slot = oldest
        while slot >= 0 && waitingCount > 0 {
            let next = operations[Int(slot)].next
            startIfFree(OwnerSlot(slot))
            slot = next
        }
    }
}
