import Units
import WireFormat

/// What a replica keeps durably beside its data, region map and checksums.
public struct ReplicaState: Equatable, Sendable {
    /// The highest epoch promised, and to whom. Every request of a lower one is refused.
    public var promised: Epoch
    public var promisedTo: InstanceID
    /// The machine's boot when that promise was made.
    public var promisedBoot: BootID
    /// All writes with a stamp up to it are durable here and equal on every replica in sync.
    public var checkpoint: Stamp
    /// The boot in which the replica was last told that it is whole: it is intact while that is
    /// the machine's boot still.
    public var wholeBoot: BootID

    public init(
        promised: Epoch = 0, promisedTo: InstanceID = .zero, promisedBoot: BootID = .zero,
        checkpoint: Stamp = .zero, wholeBoot: BootID = .zero
    ) {
        self.promised = promised
        self.promisedTo = promisedTo
        self.promisedBoot = promisedBoot
        self.checkpoint = checkpoint
        self.wholeBoot = wholeBoot
    }
}

/// A connection between an owner's instance and a replica, numbered by whoever carries it.
public typealias LinkID = UInt32

/// An operation of a replica: the index of its slot, free again after its `reply`.
public typealias ReplicaSlot = UInt16

/// What a replica wants done.
public enum ReplicaAction: Equatable {
    /// The link's hello may be answered: nothing of an earlier link of this owner is under way.
    case answerHello(LinkID)
    /// Nothing more may come in or go out through it.
    case closeLink(LinkID)
    /// Make `state` durable, then call `stateWritten`. Checksums up to its checkpoint come first.
    case writeState(ReplicaState)
    /// Make this page of the region map, as it is now, durable, then call `pageWritten`.
    case writePage(Int)
    /// Do what the slot's request says on the data, then call `performed`.
    case perform(ReplicaSlot)
    /// Answer through the link. A read's data and a list's entries are in the slot's buffer,
    /// which is free once they are sent.
    case reply(LinkID, ReplicaReply, ReplicaSlot?)
    /// Call `tick` then. One deadline is kept: the earliest asked for since the last `tick`, which
    /// asks again for what it still needs.
    case wake(Instant)
}

/// One replica: what it accepts, refuses, and in which order it makes things durable.
///
/// A value without I/O: events in, actions out (`actions`). Rules 5 to 7 and 10 of
/// docs/replication.md.
///
///                 promise(E' > E)             durable, drained, leases run out
///   promised E ───────────────────▶ promising E' ─────────────────────────────▶ promised E'
///       │                               │ a higher promise: the first is refused
///       └─ requests of E are served     └─ requests of E are refused from here on
///
/// A write waits until the mark of its region is durable. A failed flush or mark makes the replica
/// faulty: it answers everything with an I/O error until it is opened again.
public struct ReplicaMachine: ~Copyable {
    public var actions = ActionQueue<ReplicaAction>()
    public internal(set) var map: RegionMap
    /// As last asked to be made durable; `durable` is what surely is.
    public internal(set) var state: ReplicaState
    public internal(set) var durable: ReplicaState
    public internal(set) var isFaulty = false
    /// It has lost nothing since it was told that it is whole.
    public internal(set) var isIntact: Bool

    let boot: BootID
    let timing: Timing
    let faults: PlantedFaults
    var now: Instant
    var isWritingState = false
    var sameBootAtPromise = false

    /// The one lease given.
    public internal(set) var lease: GivenLease

    var links: [Link] = []
    var pending: PendingPromise?
    let operations: UnsafeMutablePointer<ReplicaOperation>
    var freeSlots: [ReplicaSlot]
    /// Slots whose mark is not durable yet, in the order of their arrival.
    var waitingForMark: [ReplicaSlot] = []
    /// Checkpoint and whole requests that wait for a durable state, with their slots.
    var waitingForState: [StateWaiter] = []

    /// - Parameters:
    ///   - state: what the drive held when the replica was opened.
    ///   - map: likewise; the machine keeps it from here on.
    ///   - lease: the one that this very process gave last, where it had the replica open before
    ///     and nobody else can have had it since. Nil: it is assumed that a full lease was given
    ///     at this moment (rule 6).
    public init(
        state: ReplicaState, map: consuming RegionMap, boot: BootID, timing: Timing, now: Instant,
        lease: GivenLease? = nil, faults: PlantedFaults = []
    ) {
        self.state = state
        if faults.contains(.forgetPromise) { self.state.promised = 0 }
        durable = self.state
        self.map = map
        self.boot = boot
        self.timing = timing
        self.faults = faults
        self.now = now
        isIntact = state.wholeBoot == boot && boot != .zero
        let assumed = state.promised == 0 || faults.contains(.restartForgetsLease)
            ? .zero : now + timing.leaseAtReplica
        self.lease = lease ?? GivenLease(holder: state.promisedTo, until: assumed)
        let count = ReplicationLimits.replicaOperationsMax
        operations = .allocate(capacity: count)
        operations.initialize(repeating: ReplicaOperation(), count: count)
        freeSlots = (0..<ReplicaSlot(count)).reversed()
        waitingForMark.reserveCapacity(count)
        waitingForState.reserveCapacity(16)
        links.reserveCapacity(ReplicationLimits.linksMax)
    }

    deinit { operations.deallocate() }

    /// The request in a slot, for whoever performs it.
    public func request(in slot: ReplicaSlot) -> ReplicaRequest { operations[Int(slot)].request }

    /// Whether anything is under way: until it is not, the files may not be closed.
    public var isBusy: Bool {
        freeSlots.count != ReplicationLimits.replicaOperationsMax || isWritingState
    }
}

/// A promise to an owner that nobody else is promised a higher epoch before its time is over.
public struct GivenLease: Equatable, Sendable {
    public var holder: InstanceID
    /// On the replica's own clock.
    public var until: Instant
}

struct Link {
    let id: LinkID
    let instance: InstanceID
    var operations = 0
    /// Its hello waits for the operations of an earlier link of the same owner.
    var isGreeted = false
    /// Closed: only waited for.
    var isClosed = false
}

struct PendingPromise {
    let request: ReplicaRequest
    let link: LinkID
    let instance: InstanceID
    let slot: ReplicaSlot
}

struct ReplicaOperation {
    var request = ReplicaRequest(.read, id: 0, epoch: 0)
    var link: LinkID = 0
    /// Changes of the map up to this number have to be durable before the data is written.
    var mark: UInt64 = 0
    var isInUse = false
    var isPerforming = false
}

struct StateWaiter {
    let slot: ReplicaSlot
    let checkpoint: Stamp
    let whole: Bool
}
