/// What a store must be able to do inside one atomic step, so that transactions and leases can be
/// evaluated here, once for all stores that keep their own data.
///
/// When anything throws, the whole step is undone by the store.
public protocol TransactionTarget {
    /// The revision now. Assigning it is part of the step.
    var revision: Revision { get set }

    func entry(at key: String) throws(MetadataError) -> Entry?
    func entries(prefix: String) throws(MetadataError) -> [Entry]
    func entries(lease: LeaseID) throws(MetadataError) -> [Entry]

    /// Inserts or replaces the entry and appends the change to the history.
    mutating func put(_ entry: Entry) throws(MetadataError)
    /// Deletes the entry and appends the change, as of `revision`, to the history.
    mutating func remove(_ entry: Entry, at revision: Revision) throws(MetadataError)

    /// Leases whose time is up are gone before a transaction begins: `revokeExpired` comes first.
    func hasLease(_ lease: LeaseID) throws(MetadataError) -> Bool
    func expiredLeases() throws(MetadataError) -> [LeaseID]
    mutating func removeLease(_ lease: LeaseID) throws(MetadataError)
}

extension TransactionTarget {
    /// Performs a validated transaction.
    public mutating func perform(
        _ transaction: Transaction
    ) throws(MetadataError) -> TransactionResult {
        var succeeded = true
        for comparison in transaction.comparisons where succeeded {
            succeeded = comparison.holds(for: try entry(at: comparison.key))
        }
        let operations = succeeded ? transaction.thenOperations : transaction.elseOperations
        for case .put(_, _, let lease?) in operations where try !hasLease(lease) {
            throw MetadataError.leaseNotFound("put", lease)
        }
        let before = revision
        var changed = false
        var responses: [Transaction.Response] = []
        for operation in operations {
            responses.append(try perform(operation, at: before.next, changed: &changed))
        }
        if changed { revision = before.next }
        return TransactionResult(succeeded: succeeded, revision: revision, responses: responses)
    }

    private mutating func perform(
        _ operation: Transaction.Operation, at next: Revision, changed: inout Bool
    ) throws(MetadataError) -> Transaction.Response {
        switch operation {
        case .get(let key):
            return .entry(try entry(at: key))
        case .range(let prefix):
            return .entries(try entries(prefix: prefix))
        case .put(let key, let value, let lease):
            let old = try entry(at: key)
            try put(Entry(
                key: key, value: value, createRevision: old?.createRevision ?? next,
                modRevision: next, version: (old?.version ?? 0) + 1, lease: lease))
            changed = true
            return .put
        case .delete(let key):
            return .deleted(try remove([entry(at: key)].compactMap(\.self), next, &changed))
        case .deletePrefix(let prefix):
            return .deleted(try remove(entries(prefix: prefix), next, &changed))
        }
    }

    private mutating func remove(
        _ entries: [Entry], _ next: Revision, _ changed: inout Bool
    ) throws(MetadataError) -> Int {
        for entry in entries { try remove(entry, at: next) }
        if !entries.isEmpty { changed = true }
        return entries.count
    }

    /// Ends a lease: its keys go, in one revision.
    public mutating func revoke(_ lease: LeaseID) throws(MetadataError) {
        let before = revision
        var changed = false
        _ = try remove(entries(lease: lease), before.next, &changed)
        try removeLease(lease)
        if changed { revision = before.next }
    }

    /// Ends every lease whose time is up, each in a revision of its own. True if there were any.
    public mutating func revokeExpired() throws(MetadataError) -> Bool {
        let expired = try expiredLeases()
        for lease in expired { try revoke(lease) }
        return !expired.isEmpty
    }
}

extension Transaction.Comparison {
    /// Whether this holds for what is stored at the key.
    func holds(for entry: Entry?) -> Bool {
        switch target {
        case .value(let value):
            guard let stored = entry?.value else { return false }
            if stored == value { return relation == .equal }
            return order(stored.lexicographicallyPrecedes(value))
        case .version(let version):
            return compare(entry?.version ?? 0, version)
        case .createRevision(let revision):
            return compare((entry?.createRevision ?? .zero).rawValue, revision.rawValue)
        case .modRevision(let revision):
            return compare((entry?.modRevision ?? .zero).rawValue, revision.rawValue)
        case .lease(let lease):
            return compare(entry?.lease?.rawValue ?? 0, lease?.rawValue ?? 0)
        }
    }

    private func compare(_ stored: Int64, _ given: Int64) -> Bool {
        stored == given ? relation == .equal : order(stored < given)
    }

    /// Whether the relation holds between two that differ.
    private func order(_ storedIsLess: Bool) -> Bool {
        switch relation {
        case .equal: false
        case .notEqual: true
        case .less: storedIsLess
        case .greater: !storedIsLess
        }
    }
}
