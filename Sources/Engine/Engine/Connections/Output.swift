import Glibc
import Units

/// What is to be sent on one connection, in order: bytes written here, and pieces of memory that
/// are sent from where they lie. Grows by doubling; grown once, it allocates no more.
struct Output: ~Copyable {
    struct Piece {
        /// Nil: `offset` counts in the output's own bytes.
        var address: UnsafeMutableRawPointer?
        var offset: Int
        var length: Int
        /// Released when the piece is sent.
        var memory: MemoryID
    }

    private var bytes: UnsafeMutableRawPointer
    private var byteCapacity = 4096
    private var byteCount = 0
    private var pieces: UnsafeMutablePointer<Piece>
    private var pieceCapacity = 32
    private(set) var pieceCount = 0
    /// Pieces that have been sent.
    private var sent = 0

    init() {
        bytes = .allocate(byteCount: byteCapacity, alignment: 16)
        pieces = .allocate(capacity: pieceCapacity)
    }

    deinit {
        bytes.deallocate()
        pieces.deallocate()
    }

    var isEmpty: Bool { pieceCount == 0 }
    /// The other side takes nothing: nothing more is done for it until it does.
    var isFull: Bool {
        pieceCount >= EngineLimits.outputPiecesMax || byteCount >= EngineLimits.outputBytesMax
    }

    /// Room for `count` bytes at the end, to be written before anything else is appended.
    mutating func append(_ count: Int) -> UnsafeMutableRawPointer {
        if byteCount + count > byteCapacity { growBytes(by: count) }
        let offset = byteCount
        byteCount += count
        if pieceCount > 0 && pieces[pieceCount - 1].address == nil {
            pieces[pieceCount - 1].length += count
        } else {
            append(Piece(address: nil, offset: offset, length: count, memory: .none))
        }
        return bytes + offset
    }

    /// Takes the last `count` bytes back: less was needed than asked for.
    mutating func takeBack(_ count: Int) {
        byteCount -= count
        pieces[pieceCount - 1].length -= count
        if pieces[pieceCount - 1].length == 0 { pieceCount -= 1 }
    }

    /// - Parameter memory: the caller's reference, handed over.
    mutating func append(_ address: UnsafeMutableRawPointer, _ length: Int, memory: MemoryID) {
        append(Piece(address: address, offset: 0, length: length, memory: memory))
    }

    private mutating func append(_ piece: Piece) {
        if pieceCount == pieceCapacity { growPieces() }
        pieces[pieceCount] = piece
        pieceCount += 1
    }

    /// Fills `vectors` with what is to be sent next; its length in bytes.
    mutating func take(
        into vectors: UnsafeMutablePointer<iovec>, max: Int
    ) -> (count: Int, bytes: Int) {
        var count = 0
        var total = 0
        while sent + count < pieceCount && count < max {
            let piece = pieces[sent + count]
            let address = piece.address ?? bytes + piece.offset
            vectors[count] = iovec(iov_base: address, iov_len: piece.length)
            total += piece.length
            count += 1
        }
        return (count, total)
    }

    /// The first `count` pieces have been sent, or never will be.
    mutating func finished(_ count: Int, releasing memory: inout Memory) {
        for index in sent..<sent + count where !pieces[index].memory.isNone {
            memory.release(pieces[index].memory)
        }
        sent += count
        if sent == pieceCount {
            sent = 0
            pieceCount = 0
            byteCount = 0
        }
    }

    mutating func removeAll(releasing memory: inout Memory) {
        finished(pieceCount - sent, releasing: &memory)
    }

    @inline(never)
    private mutating func growBytes(by count: Int) {
        var capacity = byteCapacity * 2
        while byteCount + count > capacity { capacity *= 2 }
        let larger = UnsafeMutableRawPointer.allocate(byteCount: capacity, alignment: 16)
        larger.copyMemory(from: bytes, byteCount: byteCount)
        bytes.deallocate()
        bytes = larger
        byteCapacity = capacity
    }

    @inline(never)
    private mutating func growPieces() {
        let larger = UnsafeMutablePointer<Piece>.allocate(capacity: pieceCapacity * 2)
        larger.moveInitialize(from: pieces, count: pieceCount)
        pieces.deallocate()
        pieces = larger
        pieceCapacity *= 2
    }
}
