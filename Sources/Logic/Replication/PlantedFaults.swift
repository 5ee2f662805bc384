/// Rules left out on purpose, so that the simulator can show that it would notice.
///
/// Set by the simulator only; everything else runs with none.
public struct PlantedFaults: OptionSet, Sendable {
    public let rawValue: UInt64
    public init(rawValue: UInt64) { self.rawValue = rawValue }

    /// Rule 1: a restarted owner goes on in the epoch it finds.
    public static let reuseEpoch = PlantedFaults(rawValue: 1 << 0)
    /// Rule 3: the outcome of a change is decided by reading the record.
    public static let outcomeByReading = PlantedFaults(rawValue: 1 << 1)
    /// Rule 8: leases are asked of one replica only.
    public static let leaseFromOne = PlantedFaults(rawValue: 1 << 2)
    /// Rule 6: a restarted replica forgets the lease it gave.
    public static let restartForgetsLease = PlantedFaults(rawValue: 1 << 3)
    /// Rule 7: a new connection does not wait for the old one's requests.
    public static let oldConnectionLives = PlantedFaults(rawValue: 1 << 4)
    /// Rule 9: a write does not wait for reads of the same range.
    public static let oneWayLock = PlantedFaults(rawValue: 1 << 5)
    /// Rule 10: data is written before its mark is durable.
    public static let dataBeforeMark = PlantedFaults(rawValue: 1 << 6)
    /// Rule 11: the lock is given up when the write is acknowledged, not when all have answered.
    public static let lockUntilAcknowledged = PlantedFaults(rawValue: 1 << 7)
    /// Rule 13: the closing flush leaves the candidate out, and tells it the checkpoint.
    public static let closeWithoutCandidate = PlantedFaults(rawValue: 1 << 8)
    /// Rule 15: any replica may be the source, intact or not.
    public static let anySource = PlantedFaults(rawValue: 1 << 9)
    /// Rule 16: a promise makes a replica intact.
    public static let intactAtPromise = PlantedFaults(rawValue: 1 << 10)
    /// Rule 16: a copy does not raise the map.
    public static let copyWithoutMark = PlantedFaults(rawValue: 1 << 11)
    /// Rule 16: regions are served before they are equal everywhere.
    public static let serveBeforeEqual = PlantedFaults(rawValue: 1 << 12)
    /// Rule 17b and c: regions are listed before new writes are forwarded to the target.
    public static let listBeforeDrained = PlantedFaults(rawValue: 1 << 13)
    /// Rule 17h: a target is promoted without a flush.
    public static let promoteWithoutFlush = PlantedFaults(rawValue: 1 << 14)
    /// Rule 17j: a candidate that failed a write merely reconnects.
    public static let candidateReconnects = PlantedFaults(rawValue: 1 << 15)
    /// Rule 20: a replica that lost unflushed writes goes on as if it had not.
    public static let flushOverLostWrites = PlantedFaults(rawValue: 1 << 16)
    /// Invariant 2: a write is acknowledged before the change without a replica is recorded.
    public static let acknowledgeBeforeRecorded = PlantedFaults(rawValue: 1 << 17)
    /// Rule 6: a promise does not wait for leases.
    public static let skipLeaseWait = PlantedFaults(rawValue: 1 << 18)
    /// Rule 17e: a region is copied without its lock.
    public static let copyWithoutLock = PlantedFaults(rawValue: 1 << 19)
    /// Invariant 9: a copy is freed before enough others are in sync.
    public static let freeTooEarly = PlantedFaults(rawValue: 1 << 20)
    /// Rule 8: the lease is checked when the read is sent, not when its data has arrived.
    public static let leaseCheckedEarly = PlantedFaults(rawValue: 1 << 21)
    /// Rule 6: a promise does not wait for I/O accepted before it.
    public static let promiseBeforeDrained = PlantedFaults(rawValue: 1 << 22)
    /// Rule 12: a flush is acknowledged while regions are still being made equal.
    public static let flushWhileReconciling = PlantedFaults(rawValue: 1 << 23)
    /// Rule 5: a replica does not keep its promise durably.
    public static let forgetPromise = PlantedFaults(rawValue: 1 << 24)
    /// Rule 22: damaged blocks are repaired without their lock.
    public static let repairWithoutLock = PlantedFaults(rawValue: 1 << 25)
}
