import FoundationEssentials
import Metadata

/// A transaction in a form that etcd performs at most once, however often it is sent, and that
/// leaves a trace by which a lost reply is found out.
///
///     if slot is at the revision that we know
///     then if COMPARISONS then THEN, and write the slot: "this operation, then"
///                         else ELSE, and write the slot: "this operation, else"
///     else read the slot
///
/// Why this is right:
/// - The slot is a key of ours that no other transaction under way uses. Performing the
///   transaction changes the slot's revision, so that every copy of it that comes later, from
///   whichever member and however late, finds the outer condition false for good and does nothing:
///   revisions never come back.
/// - A copy that finds it false reads the slot. If it names this operation, an earlier copy was
///   performed, in the revision at which the slot was written, on the branch that it names.
///   Otherwise nobody has performed it, and it is tried again with the slot's new revision.
/// - What changes nothing must leave the store's revision alone, and so writes no slot: reads, and
///   deletions that find nothing. Doing that twice is doing it once, at the later moment. Hence a
///   list that only deletes is divided once more, by whether anything is there to delete.
struct GuardedTransaction {
    let transaction: Transaction
    let mark: OperationMark

    func request(_ slot: OperationSlot) -> TxnRequest {
        let inner = TxnRequest(
            compare: transaction.comparisons.map(CompareMessage.init),
            success: branch(transaction.thenOperations, put(slot, .then)),
            failure: branch(transaction.elseOperations, put(slot, .otherwise)))
        return TxnRequest(
            compare: [.unchanged(slot)], success: [.txn(inner)],
            failure: [.range(RangeRequest(range: KeyRange(slot: slot.key)))])
    }

    private func put(_ slot: OperationSlot, _ branch: OperationMark.Branch) -> RequestOp {
        .put(PutRequest(key: slot.key, value: mark.value(branch), lease: nil))
    }

    private enum Shape { case reads, writes, deletesOnly }

    private static func shape(_ operations: [RequestOp]) -> Shape {
        if operations.contains(where: \.isPut) { return .writes }
        return operations.contains { $0.deleted != nil } ? .deletesOnly : .reads
    }

    private func branch(_ operations: [Transaction.Operation], _ put: RequestOp) -> [RequestOp] {
        let operations = operations.map(RequestOp.init)
        switch Self.shape(operations) {
        case .reads: return operations
        case .writes: return operations + [put]
        case .deletesOnly:
            return [.txn(TxnRequest(
                compare: operations.compactMap(\.deleted).map(CompareMessage.absent),
                success: operations, failure: operations + [put]))]
        }
    }

    /// What etcd says of a copy of the transaction.
    enum Outcome {
        case done(TransactionResult, wroteSlot: Bool)
        /// The slot is not as it was thought to be; nil when it is not there at all.
        case slotMoved(KeyValue?)
    }

    /// Nil for an answer that has not the form of the question.
    func outcome(_ response: TxnResponse) -> Outcome? {
        guard let first = response.responses?.first else { return nil }
        guard response.succeeded ?? false else { return .slotMoved(first.range?.kvs?.first) }
        guard var inner = first.txn, let revision = response.header?.storeRevision
        else { return nil }
        let succeeded = inner.succeeded ?? false
        let operations = succeeded ? transaction.thenOperations : transaction.elseOperations
        if Self.shape(operations.map(RequestOp.init)) == .deletesOnly {
            guard let divided = inner.responses?.first?.txn else { return nil }
            inner = divided
        }
        guard let responses = inner.responses(to: operations) else { return nil }
        return .done(
            TransactionResult(succeeded: succeeded, revision: revision, responses: responses),
            wroteSlot: (inner.responses ?? []).count > operations.count)
    }
}
