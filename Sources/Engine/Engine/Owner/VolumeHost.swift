import Replication
import Units
import WireFormat

/// A volume at this node: the session of its owner, if one is open here, and the clients'
/// requests that wait for it.
struct VolumeHost: ~Copyable {
    let id: VolumeID
    var sizeBytes: UInt64
    /// Nil while no session is open.
    var machine: UnsafeMutablePointer<OwnerMachine>?
    var instance = InstanceID.zero
    /// By the owner's peer index.
    let peers: UnsafeMutablePointer<PeerLink>
    /// By the owner's slot.
    let slots: UnsafeMutablePointer<OwnerSlotContext>
    /// Block checksums, a row for each slot.
    private let checksums: UnsafeMutableRawPointer
    let counters: CounterBlock

    /// Pieces of requests that the machine has not taken yet, in order.
    var firstWaiting: Int32 = -1
    var lastWaiting: Int32 = -1

    var throttle = Throttle()
    var isDirty = false
    var wakesAt = Instant.distantFuture
    /// Reads of its slots wait for memory.
    var hasDeferredReads = false
    var progressReportedAt = Instant.zero

    /// NBD connections that use it, and its FUSE disk.
    var clientCount = 0
    var disk = -1
    /// Another instance owns it: requests fail until a new session is opened.
    var isDeposed = false

    init(id: VolumeID, sizeBytes: UInt64, counters: CounterBlock) {
        self.id = id
        self.sizeBytes = sizeBytes
        self.counters = counters
        let peerCount = ReplicationLimits.peersMax
        peers = .allocate(capacity: peerCount)
        peers.initialize(repeating: PeerLink(), count: peerCount)
        let slotCount = ReplicationLimits.operationsMax
        slots = .allocate(capacity: slotCount)
        slots.initialize(repeating: OwnerSlotContext(), count: slotCount)
        checksums = .allocate(byteCount: slotCount * WireLimits.checksumBytesMax, alignment: 8)
    }

    deinit {
        if let machine {
            machine.deinitialize(count: 1)
            machine.deallocate()
        }
        peers.deallocate()
        slots.deallocate()
        checksums.deallocate()
    }

    @inline(__always)
    func checksums(of slot: OwnerSlot) -> UnsafeMutableRawPointer {
        checksums + Int(slot) * WireLimits.checksumBytesMax
    }

    /// What clients see: whole blocks.
    var exportBytes: UInt64 { sizeBytes & ~(Geometry.blockBytes - 1) }

    /// Nobody needs it: no session, no clients, nothing waits.
    var isUnused: Bool {
        machine == nil && clientCount == 0 && disk < 0 && firstWaiting < 0
    }
}

/// The way from an owner to one of its replicas.
struct PeerLink {
    enum Kind: UInt8 {
        case none
        /// A connection, numbered.
        case remote
        /// A replica of this node, numbered.
        case local
    }

    var kind = Kind.none
    var number = -1
    var generation: UInt32 = 0
    /// local: what the replica knows this owner by.
    var link: LinkID = 0
    /// remote: its node is counted among those in use.
    var countsNode = false
}

/// What the engine keeps of an owner's operation.
struct OwnerSlotContext {
    var memory = MemoryID.none
    /// Where the slot's blocks lie.
    var address: UnsafeMutableRawPointer?
    var range = ByteRange(offset: 0, length: 0)
    /// The client's; -1 for the owner's own copies.
    var piece: Int32 = -1
    /// The row of checksums is that of the blocks.
    var hasChecksums = false
    /// Of the last read sent for it.
    var readID: UInt64 = 0
    /// A read that waits for memory, and where it goes.
    var deferred: ReplicaRequest?
    var deferredPeer: Int8 = -1
}
