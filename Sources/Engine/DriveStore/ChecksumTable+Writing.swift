import DriveFormat
import Replication
import Units

/// The way of dirty pages to the sidecar: before a checkpoint, or whenever there are many.
///
/// One pass at a time: from page 0 on, `beginWriting` until it answers nil; when all its writes
/// have ended, an fdatasync makes them durable. What became dirty behind the pass belongs to
/// later writes, and to the next one.
///
///     fill in the unknown regions ▶ pass: beginWriting, finishedWriting … ▶ fdatasync ▶ vouches?
///                                                          yes: `encodeState(checksummed:)` ◀─┘
extension ChecksumTable {
    /// Pages that follow each other, to be written at `first` × 4096.
    public struct PageRun: Equatable, Sendable {
        public var first: Int
        public var count: Int
        public var offset: UInt64 { UInt64(first) * UInt64(ChecksumPage.byteCount) }
        public var byteCount: Int { count * ChecksumPage.byteCount }
        /// Where the pass goes on.
        public var next: Int { first + count }
    }

    /// Copies the next dirty pages at or after `page` to `bytes`, as many as follow each other and
    /// there is room for; they are clean and being written from now on.
    /// - Parameters:
    ///   - bytes: a buffer for the write, which is the caller's own.
    ///   - room: how many pages it holds.
    /// - Returns: nil when no page from there on is dirty.
    public mutating func beginWriting(
        from page: Int, to bytes: UnsafeMutableRawPointer, room: Int
    ) -> PageRun? {
        if page == 0 { hasLearnedInPass = false }
        guard let first = firstDirty(from: page) else { return nil }
        var count = 0
        while count < room, first + count < pageCount {
            let (found, index) = place(first + count)
            guard let chunk = found, chunk.has(.dirty, index) else { break }
            require(
                !chunk.has(.writing, index),
                "page \(first + count) of the checksums is being written")
            (bytes + count * ChecksumPage.byteCount).copyMemory(
                from: chunk.pages[index]!, byteCount: ChecksumPage.byteCount)
            chunk.set(.dirty, index, false)
            chunk.set(.writing, index, true)
            dirtyPages -= 1
            count += 1
        }
        return PageRun(first: first, count: count)
    }

    /// The write of a run has ended. Where it failed (for want of space, say) its pages are dirty
    /// again, and the checksums do not count up to the new checkpoint.
    public mutating func finishedWriting(_ run: PageRun, succeeded: Bool) {
        for page in run.first..<run.next {
            let (found, index) = place(page)
            guard let chunk = found, chunk.has(.writing, index) else {
                trap("page \(page) of the checksums was not being written")
            }
            chunk.set(.writing, index, false)
            if succeeded { chunk.set(.stored, index, true) } else { markDirty(chunk, index) }
        }
    }

    /// Asked when every write of a pass has succeeded: whether the sidecar is now true for all
    /// regions with a stamp up to this one, so that a state may say so. It is not where blocks are
    /// unknown, nor where one became known during the pass, by a read: its page may have been
    /// written before.
    public func vouches(upTo stamp: Stamp, in map: borrowing RegionMap) -> Bool {
        !hasLearnedInPass && firstUnknownRegion(upTo: stamp, in: map) == nil
    }

    private func firstDirty(from page: Int) -> Int? {
        var page = page
        while page < pageCount {
            let (chunk, index) = place(page)
            if let found = chunk?.first(.dirty, from: index) { return page - index + found }
            page += ChecksumChunk.pageCount - index
        }
        return nil
    }
}
