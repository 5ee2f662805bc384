import Records
import Units
import WireFormat

/// An index into the owner's replicas, stable for as long as it deals with them.
public typealias PeerIndex = Int

/// A set of peers, a bit each.
struct PeerMask: OptionSet, Equatable {
    let rawValue: UInt8
    init(rawValue: UInt8) { self.rawValue = rawValue }
    init(_ peer: PeerIndex) { rawValue = 1 << UInt8(peer) }

    @inline(__always)
    func has(_ peer: PeerIndex) -> Bool { rawValue >> UInt8(peer) & 1 != 0 }
    var count: Int { rawValue.nonzeroBitCount }
    /// The lowest member.
    var first: PeerIndex? { rawValue == 0 ? nil : rawValue.trailingZeroBitCount }
    /// The members, lowest first.
    var members: Members { Members(bits: rawValue) }

    struct Members: Sequence, IteratorProtocol {
        var bits: UInt8

        @inline(__always)
        mutating func next() -> PeerIndex? {
            if bits == 0 { return nil }
            defer { bits &= bits &- 1 }
            return bits.trailingZeroBitCount
        }
    }
}

/// The index of an operation's slot; the performer keeps its buffer under the same index.
public typealias OwnerSlot = UInt16

/// What a front end asks for. Data lies in the slot's buffer.
public enum ClientRequest: Equatable, Sendable {
    /// Within one region, of any 512-byte alignment.
    case read(ByteRange)
    /// Within one region, of any 512-byte alignment: a partial block is read and merged.
    case write(ByteRange, forceUnitAccess: Bool)
    /// Whole blocks, at most `ReplicationLimits.discardBytesMax`.
    case discard(ByteRange)
    case writeZeroes(ByteRange, forceUnitAccess: Bool)
    case flush
}

/// How a client's request ended.
public enum ClientStatus: Equatable, Sendable {
    case ok
    case ioError
    case noSpace
    /// The volume is not served here any more.
    case notOwner
}

/// What an owner wants done.
public enum OwnerAction: Equatable {
    /// Record `machine.change!.proposed` where the record's epoch is one less, in one transaction
    /// with tombstones for the replicas it drops; then call `configurationAnswered`.
    case changeConfiguration
    /// Connect to the peer's replica, then call `linkUp`; or `linkDown` where it cannot be had.
    case openLink(PeerIndex)
    case closeLink(PeerIndex)
    /// Through the link, in this order. A write's data is in the slot's buffer.
    case send(PeerIndex, ReplicaRequest, OwnerSlot?)
    /// Lay the client's bytes over the blocks just read into the slot's buffer, then `merged`.
    case merge(OwnerSlot)
    /// Answer the client. The slot's buffer may still be on its way to replicas.
    case complete(token: UInt64, ClientStatus, OwnerSlot)
    /// The slot's buffer is free: nothing will be sent from it any more.
    case release(OwnerSlot)
    case notify(OwnerNotice)
    /// Call `tick` then. One deadline is kept: the earliest asked for since the last `tick`, which
    /// asks again for what it still needs.
    case wake(Instant)
    /// The last action of all.
    case ended(OwnerEnd)
}
