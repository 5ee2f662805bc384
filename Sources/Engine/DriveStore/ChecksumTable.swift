import DriveFormat
import Replication
import Units
import WireFormat

/// The checksums of a replica's blocks: what the sidecar holds, and what has changed since.
///
/// Pages of 1,024 checksums (4 MiB of data) are loaded when first needed and written in the
/// background; the engine does the I/O, and asks here what to do. A page that was never stored is
/// a page of zeros, which takes neither memory nor I/O.
///
///     not in memory ──prepare: .load──▶ loading ──loaded──▶ clean ──set, clear, record──▶ dirty
///           ▲                                                │ ▲                            │
///           └──────────────────── trim ──────────────────────┘ └── finishedWriting ◀────────┘
///
/// **What is believed.** A stored checksum is true if its region was not written since the
/// checkpoint up to which the checksums were made durable (`StateSlot.checksummed`). The blocks of
/// any other region are *unknown* when the replica is opened: a write makes a block known, and so
/// does the first read, whose checksum is recorded and not verified. Before a later checkpoint
/// counts for checksums (`vouches`), the unknown blocks of regions up to it are read and filled in.
///
/// A block's checksum is set when its write has *ended*. Reads and writes that overlap never run
/// at the same time (rule 9), and `fill` passes over blocks that became known meanwhile.
public struct ChecksumTable: ~Copyable {
    public let sizeBytes: UInt64
    public let pageCount: Int
    /// Pages in memory, and how many of them the sidecar does not hold as they are.
    public internal(set) var residentPages = 0
    public internal(set) var dirtyPages = 0

    /// A checksum was recorded since the present pass of writing began: it may lie behind the pass.
    var hasLearnedInPass = false

    private let chunkCount: Int
    private let chunks: UnsafeMutablePointer<ChecksumChunk?>
    /// Where `trim` goes on.
    private var hand = 0

    /// - Parameters:
    ///   - map: the replica's, as it was opened.
    ///   - checksummed: the sidecar is true for regions with a stamp up to this one.
    public init(sizeBytes: UInt64, map: borrowing RegionMap, checksummed: Stamp) {
        self.sizeBytes = sizeBytes
        pageCount = Int((sizeBytes + ChecksumPage.dataBytes - 1) / ChecksumPage.dataBytes)
        chunkCount = (pageCount + ChecksumChunk.pageCount - 1) / ChecksumChunk.pageCount
        chunks = .allocate(capacity: chunkCount)
        chunks.initialize(repeating: nil, count: chunkCount)
        markUnknown(map, above: checksummed)
    }

    deinit {
        for index in 0..<chunkCount { chunks[index]?.deallocate() }
        chunks.deallocate()
    }

    private mutating func markUnknown(_ map: borrowing RegionMap, above checksummed: Stamp) {
        withUnsafeTemporaryAllocation(of: RegionEntry.self, capacity: 256) { entries in
            var region: UInt64 = 0
            while region != ReplicaReply.listEnd {
                let (count, next) = map.list(above: checksummed, from: region, into: entries)
                for entry in entries.prefix(count) {
                    let chunk = makeChunk(Int(entry.region) / ChecksumChunk.regionCount)
                    chunk.setUnknowns(region: Int(entry.region) % ChecksumChunk.regionCount, true)
                }
                region = next
            }
        }
    }

    /// The sidecar has data at this page: it is read before it is used.
    mutating func noteStored(page: Int) {
        require(page < pageCount, "page \(page) of \(pageCount) is stored")
        makeChunk(page / ChecksumChunk.pageCount).set(.stored, page % ChecksumChunk.pageCount, true)
    }

    // MARK: Places

    /// A page's chunk, if it was made, and its number in there.
    @inline(__always)
    func place(_ page: Int) -> (chunk: ChecksumChunk?, index: Int) {
        require(page < pageCount, "page \(page) of \(pageCount)")
        return (chunks[page / ChecksumChunk.pageCount], page % ChecksumChunk.pageCount)
    }

    mutating func makeChunk(_ number: Int) -> ChecksumChunk {
        if let chunk = chunks[number] { return chunk }
        return allocateChunk(number)
    }

    @inline(never)
    private mutating func allocateChunk(_ number: Int) -> ChecksumChunk {
        let chunk = ChecksumChunk()
        chunks[number] = chunk
        return chunk
    }

    mutating func makePage(_ chunk: ChecksumChunk, _ index: Int) -> UnsafeMutablePointer<UInt32> {
        if let words = chunk.pages[index] { return words }
        return allocatePage(chunk, index)
    }

    @inline(never)
    private mutating func allocatePage(
        _ chunk: ChecksumChunk, _ index: Int
    ) -> UnsafeMutablePointer<UInt32> {
        let words = UnsafeMutablePointer<UInt32>.allocate(capacity: ChecksumPage.checksumsPerPage)
        words.initialize(repeating: 0, count: ChecksumPage.checksumsPerPage)
        chunk.pages[index] = words
        residentPages += 1
        return words
    }

    mutating func markDirty(_ chunk: ChecksumChunk, _ index: Int) {
        chunk.set(.used, index, true)
        if chunk.has(.dirty, index) { return }
        chunk.set(.dirty, index, true)
        dirtyPages += 1
    }

    // MARK: Loading

    /// Whether the checksums of a range can be used now.
    public enum Readiness: Equatable, Sendable {
        case ready
        /// Read page `n` of the sidecar, 4096 bytes at `n` × 4096, call `loaded`, and ask again.
        case load(page: Int)
        /// That is under way for another request: ask again when `loaded` has been called.
        case loading(page: Int)
    }

    /// Asked for a read, a write or a fill, whose range lies within one region.
    ///
    /// `.ready` holds until `trim` is called: ask when the data's I/O has ended, or before and
    /// then again.
    public mutating func prepare(_ range: ByteRange) -> Readiness {
        prepare(page: Int(range.offset / ChecksumPage.dataBytes))
    }

    /// Asked for a discard or a write of zeros of whole blocks; pages that lie within it need not
    /// be loaded.
    public mutating func prepareClear(_ range: ByteRange) -> Readiness {
        let first = Int(range.offset / ChecksumPage.dataBytes)
        let last = Int((range.end - 1) / ChecksumPage.dataBytes)
        for page in first...last {
            let (chunk, index) = place(page)
            if chunk?.has(.loading, index) ?? false { return .loading(page: page) }
        }
        if !coversPage(range, first) {
            let readiness = prepare(page: first)
            if readiness != .ready { return readiness }
        }
        return coversPage(range, last) ? .ready : prepare(page: last)
    }

    private mutating func prepare(page: Int) -> Readiness {
        let (found, index) = place(page)
        guard let chunk = found else { return .ready }
        chunk.set(.used, index, true)
        if chunk.pages[index] != nil { return .ready }
        if chunk.has(.loading, index) { return .loading(page: page) }
        guard chunk.has(.stored, index) else { return .ready }
        chunk.set(.loading, index, true)
        return .load(page: page)
    }

    /// The page has been read: 4096 bytes, which are copied.
    public mutating func loaded(page: Int, _ bytes: UnsafeRawPointer) {
        let chunk = loadingChunk(page)
        let words = makePage(chunk, page % ChecksumChunk.pageCount)
        UnsafeMutableRawPointer(words).copyMemory(from: bytes, byteCount: ChecksumPage.byteCount)
    }

    /// The page could not be read: requests that wait for it fail, and the next one tries again.
    public mutating func loadFailed(page: Int) { _ = loadingChunk(page) }

    private mutating func loadingChunk(_ page: Int) -> ChecksumChunk {
        let (found, index) = place(page)
        guard let chunk = found, chunk.has(.loading, index) else {
            trap("page \(page) of the checksums was not being loaded")
        }
        chunk.set(.loading, index, false)
        return chunk
    }

    func coversPage(_ range: ByteRange, _ page: Int) -> Bool {
        let start = UInt64(page) * ChecksumPage.dataBytes
        return range.offset <= start && range.end >= min(start + ChecksumPage.dataBytes, sizeBytes)
    }

    // MARK: Memory

    /// Frees clean pages until at most `limit` are left, those first that were not used since the
    /// last time. To be called when no range that was found ready waits to be used.
    public mutating func trim(to limit: Int = DriveLimits.checksumPagesMax) {
        var steps = 2 * pageCount
        while residentPages > limit, steps > 0 {
            let number = hand / ChecksumChunk.pageCount
            guard let chunk = chunks[number] else {
                let next = (number + 1) * ChecksumChunk.pageCount
                steps -= next - hand
                hand = next < pageCount ? next : 0
                continue
            }
            trim(chunk, hand % ChecksumChunk.pageCount)
            hand = hand + 1 < pageCount ? hand + 1 : 0
            steps -= 1
        }
    }

    private mutating func trim(_ chunk: ChecksumChunk, _ index: Int) {
        guard let words = chunk.pages[index], !chunk.has(.dirty, index), !chunk.has(.writing, index)
        else { return }
        if chunk.has(.used, index) {
            chunk.set(.used, index, false)
            return
        }
        words.deallocate()
        chunk.pages[index] = nil
        residentPages -= 1
    }
}
