import DriveStore
import EngineCommands
import Replication
import Units
import WireFormat

/// What a replica of this node is looked up by.
struct LocalReplicaKey: Hashable {
    var volume: VolumeID
    var replica: ReplicaID
}

/// A replica on a drive of this node.
///
///     closed ──(a link wants it)──▶ opening ──▶ open ──(no link, for a while)──▶ closed
///                                      │          │ a flush or a mark failed
///                                      └──────────┴──▶ failed: refused until registered again
struct ReplicaHost: ~Copyable {
    enum State: UInt8 {
        case closed, opening, open, failed

        var isOpen: Bool { self == .opening || self == .open }
    }

    private(set) var local: LocalReplica
    /// What it is to be once nobody uses it as it is: of another size, or tried again.
    var successor: LocalReplica?
    /// What a machine of it that was closed here had promised to readers.
    private var lastLease: GivenLease?
    var state = State.closed
    var machine: UnsafeMutablePointer<ReplicaMachine>?
    var files: UnsafeMutablePointer<ReplicaFiles>?
    var table: UnsafeMutablePointer<ChecksumTable>?
    /// By the machine's slot; they exist while it is open.
    var slots: UnsafeMutablePointer<ReplicaSlotContext>?
    var rows: UnsafeMutableRawPointer?
    var links: [ReplicaLink] = []

    var stateWrite = StateWrite()
    var fill = ChecksumFill()
    var stagings = StagingTable()
    /// Operations on the files under way.
    var operationsUnderWay = 0
    var isDirty = false
    var wakesAt = Instant.distantFuture
    /// Control wants it gone: no owner is served any more.
    var isUnregistered = false
    var triesToOpen = 0
    var idleSince = Instant.distantFuture

    init(_ local: LocalReplica) {
        self.local = local
        links.reserveCapacity(ReplicationLimits.linksMax * 2)
    }

    /// Open still where the engine ends as in a crash.
    deinit { Self.close(machine, files, table, slots, rows) }

    var isServed: Bool { !isUnregistered && state != .failed }

    @inline(__always)
    func row(of slot: ReplicaSlot) -> UnsafeMutableRawPointer {
        rows.unsafelyUnwrapped + Int(slot) * WireLimits.checksumBytesMax
    }

    // MARK: Links

    mutating func add(_ link: ReplicaLink) { links.append(link) }

    func link(_ id: LinkID) -> ReplicaLink? {
        for link in links where link.link == id { return link }
        return nil
    }

    mutating func removeLink(_ id: LinkID) { links.removeAll { $0.link == id } }

    // MARK: Opening and closing

    mutating func open(
        _ opened: consuming OpenReplica, boot: BootID, timing: Timing, now: Instant
    ) {
        state = .open
        files = .allocate(capacity: 1)
        table = .allocate(capacity: 1)
        machine = .allocate(capacity: 1)
        files!.initialize(to: opened.files)
        table!.initialize(to: opened.checksums)
        machine!.initialize(
            to: ReplicaMachine(
                state: opened.state, map: opened.map, boot: boot, timing: timing, now: now,
                lease: lastLease))
        let count = ReplicationLimits.replicaOperationsMax
        slots = .allocate(capacity: count)
        slots!.initialize(repeating: ReplicaSlotContext(), count: count)
        rows = .allocate(byteCount: count * WireLimits.checksumBytesMax, alignment: 8)
        stateWrite = StateWrite()
        fill = ChecksumFill()
        wakesAt = .distantFuture
    }

    /// Closes the files. Nothing may be under way.
    mutating func close() {
        // Of one that has failed nothing is known for sure.
        if let machine { lastLease = state == .open ? machine.pointee.lease : nil }
        Self.close(machine, files, table, slots, rows)
        machine = nil
        files = nil
        table = nil
        slots = nil
        rows = nil
        if state == .open { state = .closed }
    }

    /// It is closed; whoever wants it next finds it as it was ordered.
    mutating func beSucceeded() {
        guard let successor else { return }
        self.successor = nil
        if successor.directory != local.directory { lastLease = nil }
        local = successor
        state = .closed
        triesToOpen = 0
    }

    private static func close(
        _ machine: UnsafeMutablePointer<ReplicaMachine>?,
        _ files: UnsafeMutablePointer<ReplicaFiles>?,
        _ table: UnsafeMutablePointer<ChecksumTable>?,
        _ slots: UnsafeMutablePointer<ReplicaSlotContext>?, _ rows: UnsafeMutableRawPointer?
    ) {
        guard let machine, let files, let table else { return }
        machine.deinitialize(count: 1)
        machine.deallocate()
        table.deinitialize(count: 1)
        table.deallocate()
        files.deinitialize(count: 1)
        files.deallocate()
        slots?.deallocate()
        rows?.deallocate()
    }
}

/// One owner's way to a replica.
struct ReplicaLink {
    let link: LinkID
    let instance: InstanceID
    /// From an owner on this loop; otherwise through a connection.
    let isLocal: Bool
    /// The volume, or the connection.
    let number: Int
    let generation: UInt32
    let peer: PeerIndex
    /// The machine knows it.
    var isConnected = false
    /// A refused request of it was reported.
    var isReported = false
}

/// Memory that comes with a request to a replica: a write's data, or room for the answer.
struct ReplicaBuffer {
    var memory = MemoryID.none
    var address: UnsafeMutableRawPointer?
}

/// What the engine keeps of a replica's operation.
struct ReplicaSlotContext {
    enum Step: UInt8 { case idle, data, sync, checksums }

    var buffer = ReplicaBuffer()
    var kind = RequestKind.flush
    var range = ByteRange(offset: 0, length: 0)
    var step = Step.idle
    /// list: entries in the buffer.
    var entryCount = 0
}

/// The write of a replica's state that is under way, one at a time.
struct StateWrite {
    enum Step: UInt8 { case idle, checksums, checksumSync, slot }

    var step = Step.idle
    var wanted = ReplicaState()
    /// The sidecar is true up to here once this is written.
    var checksummed: Stamp?
    /// Where the pass over dirty checksums goes on, its writes under way, and whether one failed.
    var nextPage = 0
    var pagesUnderWay = 0
    var hasFailed = false
    var staging: Int = -1
    /// Only the checksums are written: there were many dirty ones.
    var isChecksumsOnly = false
    /// What the machine has asked for meanwhile.
    var awaited: ReplicaState?
    /// The state is the one that is durable already: only what the checksums are true up to is
    /// new, and the machine does not wait for it.
    var isOwn = false
    /// The machine has failed and does not wait for it.
    var isFarewell = false
}

/// The region whose unknown checksums are being computed, one at a time.
struct ChecksumFill {
    var memory = MemoryID.none
    var range = ByteRange(offset: 0, length: 0)
    /// It was read, and its page of checksums is being read.
    var awaitsPage = false

    var isActive: Bool { !memory.isNone }
}

/// Buffers of pages on their way to the drive.
struct StagingTable {
    struct Staging {
        var memory = MemoryID.none
        /// Of the region map, or of the checksums where it is read.
        var page = 0
        /// Pages of checksums that are written.
        var run: ChecksumTable.PageRun?
    }

    private(set) var items: [Staging] = []
    private var free: [Int] = []

    mutating func insert(_ staging: Staging) -> Int {
        if let index = free.popLast() {
            items[index] = staging
            return index
        }
        items.append(staging)
        return items.count - 1
    }

    mutating func remove(_ index: Int) -> Staging {
        free.append(index)
        return items[index]
    }
}
