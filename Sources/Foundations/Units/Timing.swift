/// The times that replication goes by; every one is a setting.
public struct Timing: Sendable, Equatable {
    /// How long a read lease lasts, on the owner's clock from when it asked.
    public var lease: Span
    /// What a replica adds to a lease on its own clock, so that no clock has to be right.
    public var driftMarginPercent: UInt64
    /// A replica that leaves a request unanswered this long is given up.
    public var giveUp: Span
    /// Between two attempts to connect to the same replica.
    public var reconnect: Span
    /// A generation is closed this long after its first write.
    public var closeGeneration: Span

    public init(
        lease: Span = .seconds(2), driftMarginPercent: UInt64 = 1, giveUp: Span = .seconds(2),
        reconnect: Span = .milliseconds(100), closeGeneration: Span = .seconds(30)
    ) {
        self.lease = lease
        self.driftMarginPercent = driftMarginPercent
        self.giveUp = giveUp
        self.reconnect = reconnect
        self.closeGeneration = closeGeneration
    }

    /// How long a replica honours a lease on its own clock.
    @inlinable public var leaseAtReplica: Span { lease.lengthened(byPercent: driftMarginPercent) }
}
