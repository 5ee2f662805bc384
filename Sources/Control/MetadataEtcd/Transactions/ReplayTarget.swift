import Metadata

/// What a transaction found, as far as it looked, so that its responses can be worked out again
/// when the reply was lost. The operations themselves are those of every store.
struct ReplayTarget: TransactionTarget {
    var revision: Revision
    private var entries: [KeyBytes: Entry] = [:]

    /// - Parameter before: the revision before the one in which the transaction was performed.
    init(_ found: [Entry], before: Revision) {
        revision = before
        for entry in found { entries[KeyBytes(entry.key)] = entry }
    }

    func entry(at key: String) -> Entry? { entries[KeyBytes(key)] }

    func entries(prefix: String) -> [Entry] {
        let prefix = KeyBytes(prefix)
        return entries.filter { $0.key.hasPrefix(prefix) }.sorted { $0.key < $1.key }.map(\.value)
    }

    mutating func put(_ entry: Entry) { entries[KeyBytes(entry.key)] = entry }

    mutating func remove(_ entry: Entry, at revision: Revision) {
        entries[KeyBytes(entry.key)] = nil
    }

    /// etcd has looked, and has performed the transaction.
    func hasLease(_ lease: LeaseID) -> Bool { true }

    func entries(lease: LeaseID) -> [Entry] { entries.values.filter { $0.lease == lease } }
    func expiredLeases() -> [LeaseID] { [] }
    mutating func removeLease(_ lease: LeaseID) {}
}
