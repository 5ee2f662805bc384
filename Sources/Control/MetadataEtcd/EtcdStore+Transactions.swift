import FoundationEssentials
import Metadata

extension EtcdStore {
    public func transaction(
        _ transaction: Transaction
    ) async throws(MetadataError) -> TransactionResult {
        try transaction.validate()
        guard transaction.isChange else { return try await read(transaction) }
        let deadline = session.deadline
        var slot = await slots.take()
        defer { slots.giveBack(slot) }
        guard ContinuousClock.now < deadline else {
            throw MetadataError(
                .unavailable, operation: "transaction", object: transaction.summary,
                cause: "etcd answered none of those before it within"
                    + " \(session.options.requestTimeout.text)",
                remedy: "see that more than half of the etcd members run and can be reached")
        }
        let guarded = GuardedTransaction(transaction: transaction, mark: slots.newMark())
        while true {
            let call = try session.call(
                "transaction", on: transaction.summary, "/v3/kv/txn", guarded.request(slot),
                isChange: true, deadline: deadline)
            let response: TxnResponse = try await answer(call)
            switch guarded.outcome(response) {
            case .done(let result, let wroteSlot):
                if wroteSlot { slot.revision = result.revision }
                return result
            case .slotMoved(let found):
                let branch = try resolve(found, guarded.mark, transaction)
                slot.revision = Revision(rawValue: found?.modRevision?.value ?? 0)
                if let branch {
                    return try await recover(transaction, branch, at: slot.revision)
                }
                // An earlier transaction in this slot, given up long ago, came through late. It was
                // the last one that could: everything else was sent with older revisions.
            case nil: throw .misunderstood("transaction", on: transaction.summary)
            }
        }
    }

    /// What changes nothing needs no slot: it is simply asked again.
    private func read(
        _ transaction: Transaction
    ) async throws(MetadataError) -> TransactionResult {
        let response: TxnResponse = try await answer(try session.call(
            "transaction", on: transaction.summary, "/v3/kv/txn", transaction.plainRequest))
        let succeeded = response.succeeded ?? false
        guard let revision = response.header?.storeRevision,
            let responses = response.responses(
                to: succeeded ? transaction.thenOperations : transaction.elseOperations)
        else { throw .misunderstood("transaction", on: transaction.summary) }
        return TransactionResult(succeeded: succeeded, revision: revision, responses: responses)
    }

    private func answer(_ call: Call) async throws(MetadataError) -> TxnResponse {
        do throws(MetadataError) {
            return try await session.answer(call)
        } catch {
            guard error.kind == .leaseNotFound else { throw error }
            throw MetadataError(
                .leaseNotFound, operation: error.operation, object: error.object,
                cause: "a lease that it names has run out or was revoked")
        }
    }

    /// The branch on which an earlier copy of this very operation was performed; nil if none was.
    private func resolve(
        _ found: KeyValue?, _ mark: OperationMark, _ transaction: Transaction
    ) throws(MetadataError) -> OperationMark.Branch? {
        guard let found, let (written, branch) = OperationMark.read(found.value ?? Data()),
            written.instance == slots.instance
        else {
            // If one of the copies was performed, its trace has been overwritten.
            throw MetadataError(
                .replaced, outcome: .unknown, operation: "transaction",
                object: transaction.summary,
                cause: "another process has opened the store as '\(session.options.client)', or"
                    + " etcd was restored",
                remedy: "end the other process, then restart this one")
        }
        return written == mark ? branch : nil
    }

    /// What was answered in the reply that was lost, from what etcd still knows of that moment.
    private func recover(
        _ transaction: Transaction, _ branch: OperationMark.Branch, at revision: Revision
    ) async throws(MetadataError) -> TransactionResult {
        let operations =
            branch == .then ? transaction.thenOperations : transaction.elseOperations
        let before = Revision(rawValue: revision.rawValue - 1)
        var target = ReplayTarget([], before: before)
        if !operations.allSatisfy({ RequestOp($0).isPut }) {
            do throws(MetadataError) {
                target = ReplayTarget(try await found(by: operations, at: before), before: before)
            } catch {
                // It was done, but nobody knows any more what it read or deleted.
                throw MetadataError(
                    error.kind, outcome: .unknown, operation: "transaction",
                    object: transaction.summary,
                    cause: "its reply was lost, and what it found cannot be read again: \(error)")
            }
        }
        let replayed = try target.perform(Transaction(then: operations))
        return TransactionResult(
            succeeded: branch == .then, revision: revision, responses: replayed.responses)
    }

    /// What was at the keys of the operations at an earlier moment.
    private func found(
        by operations: [Transaction.Operation], at moment: Revision
    ) async throws(MetadataError) -> [Entry] {
        var found: [Entry] = []
        for operation in operations {
            let range = KeyRange(of: operation)
            found += try await session.range(range, operation.key, at: moment).entries
        }
        return found
    }
}

extension KeyRange {
    /// What an operation looks at.
    init(of operation: Transaction.Operation) {
        switch operation {
        case .get(let key), .put(let key, _, _), .delete(let key): self.init(key: key)
        case .range(let prefix), .deletePrefix(let prefix): self.init(prefix: prefix)
        }
    }
}

extension OperationSlots {
    /// Writes all slots of the client, whoever wrote them before, in one transaction.
    static func taken(
        with session: Session, _ object: String
    ) async throws(MetadataError) -> OperationSlots {
        let client = session.options.client
        let mark = OperationMark(instance: .random(in: 1...UInt64.max), number: 0)
        let deadline = session.deadline
        while ContinuousClock.now < deadline {
            let request = try await takeover(of: client, mark, with: session, object)
            if case .ours(let slots) = request { return slots }
            guard case .request(let txn) = request else { break }
            let answer: TxnResponse = try await session.answer(try session.call(
                "open", on: object, "/v3/kv/txn", txn, isChange: true, deadline: deadline))
            guard answer.succeeded ?? false, let revision = answer.header?.storeRevision
            else { continue }
            return OperationSlots(
                instance: mark.instance,
                (0..<EtcdLimits.slotsMax).map {
                    OperationSlot(key: OperationSlot.key(client: client, $0), revision: revision)
                })
        }
        throw MetadataError(
            .contended, operation: "open", object: object,
            cause: "another process opens the store as '\(client)' again and again",
            remedy: "end the other process")
    }

    private enum Takeover {
        case ours(OperationSlots)
        case request(TxnRequest)
    }

    /// Looks at the slots: they are ours already when an earlier attempt's reply was lost.
    private static func takeover(
        of client: String, _ mark: OperationMark, with session: Session, _ object: String
    ) async throws(MetadataError) -> Takeover {
        let keys = (0..<EtcdLimits.slotsMax).map { OperationSlot.key(client: client, $0) }
        let read: TxnResponse = try await session.answer(try session.call(
            "open", on: object, "/v3/kv/txn",
            TxnRequest(
                compare: [],
                success: keys.map { .range(RangeRequest(range: KeyRange(slot: $0))) },
                failure: [])))
        let found = (read.responses ?? []).map { $0.range?.kvs?.first }
        guard found.count == keys.count else { throw .misunderstood("open", on: object) }
        let slots = zip(keys, found).map { key, found in
            OperationSlot(
                key: key, revision: Revision(rawValue: found?.modRevision?.value ?? 0))
        }
        if found.allSatisfy({ OperationMark.read($0?.value ?? Data())?.mark == mark }) {
            return .ours(OperationSlots(instance: mark.instance, slots))
        }
        // Compared, so that a copy that comes late takes nothing away.
        return .request(TxnRequest(
            compare: slots.map(CompareMessage.unchanged),
            success: keys.map { .put(PutRequest(key: $0, value: mark.value(.then), lease: nil)) },
            failure: []))
    }
}
