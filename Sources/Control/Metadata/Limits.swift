/// What a store accepts. All stores have etcd's limits, so that what works on one machine works on
/// a cluster.
public enum MetadataLimits {
    public static let keyBytesMax = 1024

    /// Comparisons and operations of both lists together. etcd: `--max-txn-ops` 128, of which the
    /// etcd store needs up to four for finding out about lost replies.
    public static let operationsMax = 120

    public static let valueBytesMax = 1 << 20

    /// Keys and values of one whole transaction. etcd: `--max-request-bytes` 1.5 MiB, of which this
    /// leaves 64 KiB for framing: 128 x 3 operations with under 170 bytes of it each.
    public static let transactionBytesMax = (3 << 19) - (1 << 16)

    /// etcd rounds up to seconds, so shorter ones would mean different things in different stores.
    public static let leaseMin = Duration.milliseconds(100)
    public static let leaseMax = Duration.seconds(24 * 60 * 60)
}

/// How much of the past a store keeps for watches. Whatever exceeds either bound is trimmed, oldest
/// first, whole revisions at a time.
public struct HistoryLimits: Equatable, Sendable {
    public var changesMax: Int
    /// Counts keys and values.
    public var bytesMax: Int

    /// A busy cluster makes some ten changes a second: 20,000 are half an hour. 64 MiB bound what a
    /// store costs when values are large.
    public init(changesMax: Int = 20_000, bytesMax: Int = 64 << 20) {
        self.changesMax = changesMax
        self.bytesMax = bytesMax
    }
}
