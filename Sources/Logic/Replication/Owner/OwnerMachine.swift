import Records
import Units
import WireFormat

/// The owner of one volume: takes clients' requests, spreads them over the replicas, acknowledges
/// them when the in-sync set has them, and changes that set through the metadata service.
///
/// A value without I/O: events in, actions out (`actions`). The rules of docs/replication.md, in
/// files: changes of the record (+Changes), connections and promises (+Links), requests and their locks
/// (+Requests, +Locks), damaged blocks (+Repair), leases (+Leases), takeover (+Reconcile), rebuild (+Rebuild), checkpoints
/// (+Generations) and the end of a session (+Close).
///
///    claiming ──▶ collecting ──▶ listing ──▶ serving ──▶ closing ──▶ ended
///      CAS        promises of     regions    regions not yet equal wait,
///                 the in-sync     that may   all others are served
///                 set             differ
///        ▲            │             │           │
///        └────────────┴─────────────┴───────────┘ the source of a reconciliation is lost
///
/// Anything may end it: an epoch made by another instance (`deposed`), or the loss of unflushed
/// writes on every replica (`lostWrites`).
public struct OwnerMachine: ~Copyable {
    enum Phase: Equatable { case claiming, collecting, listing, serving, closing, ended }

    public var actions = ActionQueue<OwnerAction>(capacity: 256)
    /// The record as this instance last knew it.
    public internal(set) var recorded: VolumeConfiguration
    /// The change of it that is under way.
    public internal(set) var change: ConfigurationChange?
    public let me: OwnerRecord
    public let sizeBytes: UInt64

    let timing: Timing
    let faults: PlantedFaults
    var now: Instant
    var phase = Phase.claiming
    var changeCount: UInt64 = 0

    let peers: UnsafeMutablePointer<OwnerPeer>
    var peersInUse: PeerMask = []
    /// In sync by the record, and by the change under way.
    var recordedInSync: PeerMask = []
    var proposedInSync: PeerMask = []
    var candidate: PeerMask = []
    /// A target of the rebuild: new writes go to it too.
    var forwarded: PeerMask = []

    var epoch: Epoch = 0
    var generation: Generation = 1
    var checkpoint = Stamp.zero
    var closing: GenerationClose?
    var firstWriteOfGeneration: Instant?
    /// Operations that change data under way, of the present generation and of older ones.
    var changesUnderWay = 0
    var olderChangesUnderWay = 0
    var checkpointsUnanswered = 0

    let operations: UnsafeMutablePointer<OwnerOperation>
    var freeSlots: [OwnerSlot]
    var clientOperations = 0
    var oldest: Int16 = -1
    var newest: Int16 = -1
    var sequence: UInt64 = 0
    var waitingCount = 0
    var leaseWaitCount = 0

    /// Regions that are not known to be equal on every replica in sync.
    var unequal: RegionSet
    /// Nothing is served before these have durably been told that they are whole.
    var awaitedWhole: PeerMask = []
    var mustStartWaiting = false
    var reconciliation: Reconciliation?
    /// Every copy has lost power since it promised the epoch before this session: writes that were
    /// acknowledged and not flushed may be gone. Clients from before the session have to hear of
    /// it (rule 20).
    public internal(set) var mayLackWrites = false
    var activeCopies: [UInt64] = []
    var repairsUnderWay = 0
    /// A read has found nobody left to ask.
    var hasUnreadable = false
    var rebuild: Rebuild?
    var rebuildWork: RegionSet
    var closeRequested = false
    /// Something has changed that may let a larger step go on; see `proceed`.
    var mustProceed = false
    var releaseProposed = false
    var nextWake = Instant.distantFuture
    var readRotation = 0

    /// Opens a session: proposes to the metadata service that this instance be the owner.
    /// - Parameters:
    ///   - recorded: the record as read; the claim is conditional on its epoch.
    ///   - instance: new for every session (rule 1).
    public init(
        recorded: VolumeConfiguration, node: NodeID, instance: InstanceID, sizeBytes: UInt64,
        timing: Timing, now: Instant, faults: PlantedFaults = []
    ) {
        self.recorded = recorded
        me = OwnerRecord(node: node, instance: instance)
        self.sizeBytes = sizeBytes
        self.timing = timing
        self.faults = faults
        self.now = now
        peers = .allocate(capacity: ReplicationLimits.peersMax)
        let count = ReplicationLimits.operationsMax
        operations = .allocate(capacity: count)
        operations.initialize(repeating: OwnerOperation(), count: count)
        freeSlots = (0..<OwnerSlot(count)).reversed()
        unequal = RegionSet(regionCount: Geometry.regionCount(sizeBytes))
        rebuildWork = RegionSet(regionCount: Geometry.regionCount(sizeBytes))
        activeCopies.reserveCapacity(ReplicationLimits.copiesMax + 1)
        claim()
    }

    deinit {
        peers.deallocate()
        operations.deallocate()
    }

    // MARK: Sets

    /// Whose answer an acknowledgement needs: the union of both sets while a change is unknown.
    var ackSet: PeerMask { recordedInSync.union(proposedInSync).union(candidate) }
    /// Who is sent a write.
    var writeSet: PeerMask { ackSet.union(forwarded) }


    func peer(of replica: ReplicaID) -> PeerIndex? {
        for index in peersInUse.members {
            if peers[index].record.id == replica { return index }
        }
        return nil
    }

    public func record(of peer: PeerIndex) -> ReplicaRecord { peers[peer].record }

    // MARK: Watching

    /// Whether clients' requests are served, but for regions that are still being made equal.
    public var isServing: Bool { phase == .serving }
    public var hasEnded: Bool { phase == .ended }
    public var currentEpoch: Epoch { epoch }
    /// Regions that wait to be made equal.
    public var unequalRegions: UInt64 { unequal.count }
    /// The replica being rebuilt, with the regions done and known.
    public var rebuildStatus: (replica: ReplicaID, done: UInt64, total: UInt64)? {
        rebuild.map { (peers[$0.peer].record.id, $0.done, $0.total) }
    }

    public var waitsFor: OwnerWait {
        switch phase {
        case .claiming: .record
        case .collecting: .promises(recordedInSync.count - promisedInSync.count)
        case .listing: .reconciliation(0)
        case .serving, .closing:
            change?.purpose == .removeSilent
                ? .record
                : unequal.isEmpty && awaitedWhole.isEmpty ? .nothing : .reconciliation(unequal.count)
        case .ended: .nothing
        }
    }

    // MARK: Time

    /// The time has come that a `wake` named, or any other.
    public mutating func tick(now: Instant) {
        self.now = now
        if phase == .ended { return }
        // Every step below asks again for the wake that it still needs.
        nextWake = .distantFuture
        reconnectWhereDue()
        giveUpTheSilent()
        proceed()
    }

    mutating func wake(at instant: Instant) {
        if instant >= nextWake { return }
        nextWake = instant
        actions.append(.wake(instant))
    }

    /// Whatever has become possible: called at the end of events that may have changed sets, links
    /// or counts, never in the midst of one. Each step looks at what is, so that none has to be remembered.
    mutating func proceed() {
        mustProceed = false
        if phase == .ended { return }
        proposeRemovals()
        completeLeasedReads()
        collectIfReady()
        failUnreadable()
        startCopies()
        startIfWhole()
        closeGenerationIfDue()
        proceedWithGeneration()
        proceedWithRebuild()
        proceedWithClose()
        settle()
    }

    /// Proceeds where an event has asked for it.
    @inline(__always)
    mutating func settle() {
        while mustProceed { proceed() }
    }

    mutating func end(_ reason: OwnerEnd) {
        if phase == .ended { return }
        phase = .ended
        var slot = oldest
        while slot >= 0 {
            let next = operations[Int(slot)].next
            let operation = operations[Int(slot)]
            if operation.isClients && !operation.isAcknowledged {
                let status: ClientStatus = reason == .lostWrites ? .ioError : .notOwner
                actions.append(.complete(token: operation.token, status, OwnerSlot(slot)))
            }
            actions.append(.release(OwnerSlot(slot)))
            slot = next
        }
        for index in peersInUse.members where peers[index].link != .down {
            peers[index].link = .down
            actions.append(.closeLink(index))
        }
        actions.append(.ended(reason))
    }
}
