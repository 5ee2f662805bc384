import Units
import WireFormat

/// One request under way in the owner, of a client or its own.
///
///    waiting ──▶ reading ──▶ (done)                              read
///    waiting ──▶ reading ──▶ merging ──▶ spreading ──▶ (done)    partial write
///    waiting ──▶ spreading ──▶ (done)                            write, discard, flush
///    waiting ──▶ reading ──▶ spreading ──▶ (done)                copy of a region, repair
struct OwnerOperation {
    enum Kind: Equatable {
        case read, write, discard, writeZeroes, flush
        /// A region from one replica in sync to others: of a reconciliation or a rebuild.
        case copy
        /// Blocks from a replica in sync to those where they are damaged.
        case repair
        /// The flush of a closing generation.
        case closingFlush
        /// The flush of a target before it is promoted.
        case targetFlush
    }

    enum State: Equatable { case free, waiting, reading, leaseWait, merging, spreading }

    var kind = Kind.read
    var state = State.free
    /// Whole blocks: what is locked, read and sent.
    var range = ByteRange(offset: 0, length: 0)
    var isPartial = false
    var forceUnitAccess = false
    var token: UInt64 = 0
    /// Orders operations for ever; the upper part of its requests' ids.
    var sequence: UInt64 = 0
    var generation: Generation = 0

    /// Who gets it; who was sent it on the present link; who has answered well.
    var targets: PeerMask = []
    var sent: PeerMask = []
    var answered: PeerMask = []
    /// Read from this peer; those that could not answer.
    var source: PeerIndex = -1
    var tried: PeerMask = []
    /// Those where it could not be read, or does not match its checksums.
    var damaged: PeerMask = []
    var isAcknowledged = false
    var status = ClientStatus.ok

    /// Neighbours in the list of operations under way, in the order of their arrival.
    var previous: Int16 = -1
    var next: Int16 = -1

    var isFlush: Bool { kind == .flush || kind == .closingFlush || kind == .targetFlush }
    /// Whether it shares its range with readers only, or with nobody.
    var isExclusive: Bool { kind != .read }
    var isClients: Bool {
        switch kind {
        case .read, .write, .discard, .writeZeroes, .flush: true
        case .copy, .repair, .closingFlush, .targetFlush: false
        }
    }
    var changesData: Bool { isExclusive && !isFlush }
}
