import Records
import Units
import WireFormat

/// What the owner knows of one replica.
///
///            openLink          linkUp             promised the current epoch
///    down ──────────────▶ opening ────▶ greeting ─────────────────────────▶ ready
///      ▲                      │             │                                 │
///      └──────────────────────┴─────────────┴────────── linkDown ─────────────┘
///
/// Requests are sent to a ready peer only; after a reconnection those without an answer are sent
/// again, in order.
struct OwnerPeer {
    enum LinkState: Equatable { case down, opening, greeting, ready }

    var record: ReplicaRecord
    var isInUse = true
    var isLocal = false
    var link = LinkState.down
    /// Wanted open: in sync, or a target of the rebuild.
    var wantsLink = false
    /// Since when the link has been down or a request unanswered; nil while all is well.
    var silentSince: Instant?
    var retryAt = Instant.zero
    /// When the present attempt to open the link began.
    var openingSince = Instant.zero
    /// Of the process and machine at the other end, from the first hello of this session on.
    var incarnation = IncarnationID.zero
    var boot = BootID.zero

    /// The epoch it has promised to this instance; 0 for none.
    var promised: Epoch = 0
    var promiseAsked: Epoch = 0
    var holding = Holding()
    var hasHolding = false

    /// A read lease, on the owner's clock.
    var leaseUntil = Instant.zero
    var leaseAskedAt: Instant?

    /// It failed a request or lost unflushed writes: it has to leave the in-sync set.
    var mustLeave = false
    /// Its machine has booted since it acknowledged writes of this session.
    var hasLostWrites = false
    var unanswered = 0
}
