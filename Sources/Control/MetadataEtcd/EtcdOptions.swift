import Metadata

/// How an etcd store behaves. The defaults are right for `ciod`.
public struct EtcdOptions: Sendable {
    /// Who uses the store: of two that go by one name, the later one shuts the earlier one out.
    /// It names the keys by which a transaction whose reply was lost is found again.
    public var client: String

    /// How long one endpoint is waited for before the next one is asked. Doubled with every round
    /// over all endpoints, as a slow etcd is not made faster by asking it more often.
    ///
    /// A liveness lease of 3 s that is renewed every second survives one endpoint that hangs.
    public var attemptTimeout: Duration

    /// How long a call tries before it fails, counted from its submission. etcd needs about two
    /// seconds for electing another leader (`--election-timeout` 1 s).
    public var requestTimeout: Duration

    /// A watch asks an endpoint whether it lives when it has not been heard for this long.
    public var pulse: Duration

    public init(
        client: String, attemptTimeout: Duration = .seconds(1),
        requestTimeout: Duration = .seconds(8), pulse: Duration = .seconds(2)
    ) {
        self.client = client
        self.attemptTimeout = attemptTimeout
        self.requestTimeout = requestTimeout
        self.pulse = pulse
    }
}

/// What this store takes and keeps at most.
enum EtcdLimits {
    /// Transactions that change something, under way at the same time; others wait their turn.
    /// etcd commits those that come together with one fsync.
    static let slotsMax = 16
    /// HTTP connections to one endpoint for requests; and for watches, which take one each.
    static let connectionsMax = 32
    static let watchesMax = 1_024
    /// Keys in one page of a range: with the largest values 341 MiB of base64, usually 1 MiB.
    static let rangePage: Int64 = 256
    static let answerBytesMax = 512 << 20
    /// One message of a watch. etcd divides them at its `--max-request-bytes`, 1.5 MiB, and an
    /// event has at most one such value; base64 makes a third more of it.
    static let watchLineBytesMax = 64 << 20
    /// An error's text.
    static let refusalBytesMax = 64 << 10
    /// Between two rounds over all endpoints, none of which could do it.
    static let pause = Duration.milliseconds(50)
    static let pauseMax = Duration.milliseconds(500)
}
