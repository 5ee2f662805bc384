/// One planted fault, for people: its name on the command line, its rule, and what it does.
public struct PlantedFault: Sendable {
    public let name: String
    public let fault: PlantedFaults
    /// The rule of docs/replication.md, or the invariant, that it leaves out.
    public let rule: String
    public let effect: String

    init(_ name: String, _ fault: PlantedFaults, _ rule: String, _ effect: String) {
        self.name = name
        self.fault = fault
        self.rule = rule
        self.effect = effect
    }

    /// In the order of their flags.
    public static let all: [PlantedFault] = [
        PlantedFault(
            "reuse-epoch", .reuseEpoch, "1",
            "a restarted owner goes on in the epoch that it finds"),
        PlantedFault(
            "outcome-by-reading", .outcomeByReading, "3",
            "a change without an answer counts as refused if the record does not show it"),
        PlantedFault(
            "lease-from-one", .leaseFromOne, "8", "reads ask one replica for a lease, not all"),
        PlantedFault(
            "restart-forgets-lease", .restartForgetsLease, "6",
            "a restarted replica promises without waiting for the lease it may have given"),
        PlantedFault(
            "old-connection-lives", .oldConnectionLives, "7",
            "a hello is answered while requests of the old connection are under way"),
        PlantedFault(
            "one-way-lock", .oneWayLock, "9", "a write does not wait for overlapping reads"),
        PlantedFault(
            "data-before-mark", .dataBeforeMark, "10",
            "data is written before its region's mark is durable"),
        PlantedFault(
            "lock-until-acknowledged", .lockUntilAcknowledged, "11",
            "a range is free when its write is acknowledged, not when all have answered"),
        PlantedFault(
            "close-without-candidate", .closeWithoutCandidate, "13",
            "a generation closes without the candidate's flush, which is told the checkpoint"),
        PlantedFault(
            "any-source", .anySource, "15",
            "a replica that lost writes may be the source of a takeover"),
        PlantedFault("intact-at-promise", .intactAtPromise, "16", "a promise makes a replica intact"),
        PlantedFault(
            "copy-without-mark", .copyWithoutMark, "16",
            "a copied region does not raise the target's map"),
        PlantedFault(
            "serve-before-equal", .serveBeforeEqual, "16",
            "after a takeover regions are served before they are equal everywhere"),
        PlantedFault(
            "list-before-drained", .listBeforeDrained, "17b, c",
            "a rebuild lists regions before new writes are forwarded to its target"),
        PlantedFault(
            "promote-without-flush", .promoteWithoutFlush, "17h",
            "a rebuilt replica is given the checkpoint without a flush"),
        PlantedFault(
            "candidate-reconnects", .candidateReconnects, "17j",
            "a candidate that missed something reconnects and stays"),
        PlantedFault(
            "flush-over-lost-writes", .flushOverLostWrites, "20",
            "a replica that lost power goes on as if it had not"),
        PlantedFault(
            "acknowledge-before-recorded", .acknowledgeBeforeRecorded, "invariant 2",
            "a removed replica is not waited for while its removal is still unrecorded"),
        PlantedFault(
            "skip-lease-wait", .skipLeaseWait, "6",
            "a promise does not wait for leases given to the old owner"),
        PlantedFault(
            "copy-without-lock", .copyWithoutLock, "17e", "a region is copied without its lock"),
        PlantedFault(
            "free-too-early", .freeTooEarly, "invariant 9",
            "a copy is freed before enough others are in sync"),
        PlantedFault(
            "lease-checked-early", .leaseCheckedEarly, "8",
            "the lease is checked when a read is sent, not when its data arrives"),
        PlantedFault(
            "promise-before-drained", .promiseBeforeDrained, "6",
            "a promise does not wait for requests accepted before it"),
        PlantedFault(
            "flush-while-reconciling", .flushWhileReconciling, "12",
            "a flush is acknowledged while regions are still being made equal"),
        PlantedFault(
            "forget-promise", .forgetPromise, "5",
            "a replica does not keep its promise through a restart"),
        PlantedFault(
            "repair-without-lock", .repairWithoutLock, "22",
            "damaged blocks are repaired without their lock"),
    ]
}
