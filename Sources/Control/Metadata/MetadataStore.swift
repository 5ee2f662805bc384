/// The cluster's memory: small records under string keys, changed by compare-and-swap.
///
/// The semantics are those of etcd v3 (https://etcd.io/docs/v3.4/learning/api/), so that an etcd
/// cluster, a SQLite file and plain memory are interchangeable:
/// - The store has one *revision*, which grows by one with every transaction that changes
///   something; what a transaction changes carries that revision.
/// - Keys are ordered by their UTF-8 bytes, and a prefix is a prefix of bytes.
/// - Reads are linearizable: what was committed before a read began is seen by it.
/// - A key may belong to a *lease*. When the lease runs out or is revoked, its keys are deleted,
///   and watches see the deletions like any others.
///
/// Every method reports failure as ``MetadataError``, whose `outcome` says whether a change was
/// certainly not made or may have been. A transaction with unknown outcome is sent again,
/// identical, until it is answered; a nonce in its value tells a conflict with oneself from a
/// conflict with somebody else (reading alone never decides it: the first one may still be under
/// way).
public protocol MetadataStore: Sendable {
    /// The entry at `key`, or nil.
    func get(_ key: String) async throws(MetadataError) -> Entry?

    /// All entries whose keys begin with `prefix`, in the order of their keys' bytes, and the
    /// revision at which they were read. The empty prefix means everything.
    func range(prefix: String) async throws(MetadataError) -> Snapshot

    /// Evaluates all comparisons and then performs one of the two lists of operations, in one step.
    func transaction(_ transaction: Transaction) async throws(MetadataError) -> TransactionResult

    /// Every change under `prefix` with a revision above `revision`, in order, each exactly once;
    /// first those of the past, then those to come. `after: snapshot.revision` continues a range.
    ///
    /// Changes are kept in the store, not in the watch, so that a slow reader costs nothing and
    /// misses nothing, until the history it has yet to read is trimmed: then the watch fails with
    /// `.compacted`, and the reader starts again from a range. The watch ends when its task is
    /// cancelled or the store is closed.
    func watch(prefix: String, after revision: Revision) -> Watch

    /// A new lease, which runs out unless it is kept alive. The store may give a longer time than
    /// was asked for, never a shorter one.
    func grantLease(ttl: Duration) async throws(MetadataError) -> Lease

    /// Starts the lease's time afresh. Fails with `.leaseNotFound` when it has run out.
    @discardableResult
    func keepAlive(_ lease: LeaseID) async throws(MetadataError) -> Lease

    /// Ends the lease now and deletes its keys. Fails with `.leaseNotFound` when it has run out.
    func revoke(_ lease: LeaseID) async throws(MetadataError)

    /// What it is, and whether it answers now: within about a second, whatever the state it is in.
    func standing() async -> StoreStanding

    /// Ends all watches, waits for what is under way, and gives back files and threads. Every later
    /// call fails with `.closed`. Leases are not revoked: other processes may go on using them.
    func close() async
}
