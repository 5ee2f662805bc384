import NBDProtocol
import Replication
import Units

/// What a client asked for, from its arrival to its answer.
struct Request {
    enum Operation: UInt8 { case read, write, flush, discard, writeZeroes }
    enum Client: UInt8 { case nbd, disk }

    let operation: Operation
    let client: Client
    /// The connection or disk, and its generation.
    let number: Int32
    let generation: UInt32
    let volume: Int32
    /// The client's own mark: NBD's cookie, FUSE's unique.
    let mark: UInt64
    let range: ByteRange
    let forceUnitAccess: Bool
    /// disk: which of its request buffers, and the reference to its memory.
    var buffer: Int32 = -1
    var memory = MemoryID.none

    /// Everything before it has become pieces.
    var next: UInt64
    var piecesUnderWay: Int32 = 0
    /// read: the pieces, in order, kept until the answer is sent.
    var firstPiece: Int32 = -1
    var lastPiece: Int32 = -1
    var status = ClientStatus.ok

    /// Nothing of it is still to be offered.
    var isCut: Bool { next >= range.end }
}

/// A part of a request that the owner takes as one: within one region, or of a discard's size.
struct RequestPiece {
    var request: Int32
    var operation: ClientRequest
    /// What the client means; the memory holds the whole blocks around it.
    var range: ByteRange
    var memory = MemoryID.none
    var address: UnsafeMutableRawPointer?
    /// A write of parts of blocks: the client's bytes, until they are merged.
    var clientMemory = MemoryID.none
    var clientAddress: UnsafeMutableRawPointer?
    /// The next in the volume's queue, then in its request.
    var nextWaiting: Int32 = -1
    var nextOfRequest: Int32 = -1
}
