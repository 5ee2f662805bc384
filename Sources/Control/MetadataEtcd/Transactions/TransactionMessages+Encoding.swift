import FoundationEssentials
import Metadata

extension CompareMessage {
    init(_ comparison: Transaction.Comparison) {
        self.init(
            range: KeyRange(key: comparison.key), target: comparison.target,
            relation: comparison.relation)
    }

    /// No key of the range is there.
    static func absent(_ range: KeyRange) -> CompareMessage {
        CompareMessage(range: range, target: .version(0), relation: .equal)
    }

    static func unchanged(_ slot: OperationSlot) -> CompareMessage {
        CompareMessage(
            range: KeyRange(slot: slot.key), target: .modRevision(slot.revision), relation: .equal)
    }
}

extension RequestOp {
    init(_ operation: Transaction.Operation) {
        switch operation {
        case .get(let key): self = .range(RangeRequest(range: KeyRange(key: key)))
        case .range(let prefix): self = .range(RangeRequest(range: KeyRange(prefix: prefix)))
        case .put(let key, let value, let lease):
            self = .put(PutRequest(
                key: Data(key.utf8), value: Data(value), lease: lease.map { Int64Text($0.rawValue) }))
        case .delete(let key): self = .delete(KeyRange(key: key))
        case .deletePrefix(let prefix): self = .delete(KeyRange(prefix: prefix))
        }
    }

    /// What this deletes.
    var deleted: KeyRange? {
        if case .delete(let range) = self { return range }
        return nil
    }

    var isPut: Bool {
        if case .put = self { return true }
        return false
    }
}

extension Transaction {
    /// Whether it could change anything, in either of its two ways.
    var isChange: Bool {
        (thenOperations + elseOperations).contains { operation in
            switch operation {
            case .get, .range: false
            case .put, .delete, .deletePrefix: true
            }
        }
    }

    /// As it is, for what changes nothing.
    var plainRequest: TxnRequest {
        TxnRequest(
            compare: comparisons.map(CompareMessage.init),
            success: thenOperations.map(RequestOp.init), failure: elseOperations.map(RequestOp.init))
    }
}

extension TxnResponse {
    /// The responses to `operations`, which come first; nil when they are not what was asked for.
    func responses(to operations: [Transaction.Operation]) -> [Transaction.Response]? {
        let found = responses ?? []
        guard found.count >= operations.count else { return nil }
        var all: [Transaction.Response] = []
        for (operation, response) in zip(operations, found) {
            switch operation {
            case .get:
                guard let range = response.range else { return nil }
                all.append(.entry(range.entries.first))
            case .range:
                guard let range = response.range else { return nil }
                all.append(.entries(range.entries))
            case .put: all.append(.put)
            case .delete, .deletePrefix:
                guard let delete = response.delete else { return nil }
                all.append(.deleted(Int(delete.deleted?.value ?? 0)))
            }
        }
        return all
    }
}
