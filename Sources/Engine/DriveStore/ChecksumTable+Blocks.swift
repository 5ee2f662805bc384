import DriveFormat
import Units
import WireFormat

/// Blocks: what is checked, recorded, set and cleared. A *row* is as on the wire
/// (`BlockChecksums`): the CRC32C of each block of the range.
extension ChecksumTable {
    /// Holds the checksums of data that was read against what is stored; records those of blocks
    /// that were unknown.
    /// - Parameter range: `prepare` has found it ready.
    /// - Returns: the offset of the first block that is not what was written; nil if all are.
    public mutating func verify(_ range: ByteRange, _ row: UnsafeRawPointer) -> UInt64? {
        let (found, index) = ready(range)
        if let chunk = found, chunk.hasUnknowns(region: region(range)) {
            return verifyPartlyKnown(chunk, index, range, row)
        }
        let words = found?.pages[index]
        let first = firstBlock(range)
        for block in 0..<blockCount(range) {
            let stored = words.map { UInt32(littleEndian: $0[first + block]) } ?? 0
            if stored != ChecksumPage.stored(BlockChecksums.get(block, of: row)) {
                return range.offset + UInt64(block) * Geometry.blockBytes
            }
        }
        return nil
    }

    @inline(never)
    private mutating func verifyPartlyKnown(
        _ chunk: ChecksumChunk, _ index: Int, _ range: ByteRange, _ row: UnsafeRawPointer
    ) -> UInt64? {
        let first = firstBlock(range)
        let words = chunk.pages[index]
        let detail = chunk.details[index]
        for block in 0..<blockCount(range) {
            if detail.map({ Self.isSet($0, first + block) }) ?? true { continue }
            let stored = words.map { UInt32(littleEndian: $0[first + block]) } ?? 0
            if stored != ChecksumPage.stored(BlockChecksums.get(block, of: row)) {
                return range.offset + UInt64(block) * Geometry.blockBytes
            }
        }
        fill(range, row)
        return nil
    }

    /// Records the checksums of the blocks of the range that are unknown, and leaves the others.
    /// - Parameter range: `prepare` has found it ready.
    public mutating func fill(_ range: ByteRange, _ row: UnsafeRawPointer) {
        let (found, index) = ready(range)
        guard let chunk = found, chunk.hasUnknowns(region: region(range)) else { return }
        let first = firstBlock(range)
        for block in 0..<blockCount(range) {
            if let detail = chunk.details[index], !Self.isSet(detail, first + block) { continue }
            store(
                ChecksumPage.stored(BlockChecksums.get(block, of: row)), chunk, index, first + block
            )
        }
        becomeKnown(chunk, range)
    }

    /// The range has been written with data of these checksums.
    /// - Parameter range: `prepare` has found it ready.
    public mutating func set(_ range: ByteRange, _ row: UnsafeRawPointer) {
        let page = Int(range.offset / ChecksumPage.dataBytes)
        let (found, index) = ready(range)
        let chunk = found ?? makeChunk(page / ChecksumChunk.pageCount)
        let words = makePage(chunk, index)
        let first = firstBlock(range)
        for block in 0..<blockCount(range) {
            words[first + block] =
                ChecksumPage.stored(BlockChecksums.get(block, of: row)).littleEndian
        }
        markDirty(chunk, index)
        if chunk.hasUnknowns(region: region(range)) { becomeKnown(chunk, range) }
    }

    /// The range has been made a hole, or zeros.
    /// - Parameter range: whole blocks; `prepareClear` has found it ready.
    public mutating func clear(_ range: ByteRange) {
        var offset = range.offset
        while offset < range.end {
            let page = offset / ChecksumPage.dataBytes
            let end = min(range.end, (page + 1) * ChecksumPage.dataBytes)
            clearInPage(ByteRange(offset: offset, length: end - offset))
            offset = end
        }
    }

    private mutating func clearInPage(_ range: ByteRange) {
        let page = Int(range.offset / ChecksumPage.dataBytes)
        let (found, index) = place(page)
        guard let chunk = found else { return }
        require(!chunk.has(.loading, index), "page \(page) of the checksums is being loaded")
        if chunk.has(.stored, index) || chunk.pages[index] != nil {
            require(
                chunk.pages[index] != nil || coversPage(range, page),
                "page \(page) of the checksums is not loaded")
            let words = makePage(chunk, index)
            (words + firstBlock(range)).update(repeating: 0, count: blockCount(range))
            markDirty(chunk, index)
        }
        for number in range.firstRegion...range.lastRegion {
            let part = part(of: range, in: number)
            if chunk.hasUnknowns(region: region(part)) { becomeKnown(chunk, part) }
        }
    }

    // MARK: Arithmetic

    /// The page of a range within one region, which must be in memory if it is stored at all.
    @inline(__always)
    private func ready(_ range: ByteRange) -> (ChecksumChunk?, Int) {
        require(
            range.length > 0 && range.isBlockAligned && range.firstRegion == range.lastRegion
                && range.end <= sizeBytes, "checksums of \(range)")
        let (chunk, index) = place(Int(range.offset / ChecksumPage.dataBytes))
        if let chunk, chunk.pages[index] == nil {
            require(!chunk.has(.stored, index), "checksums of \(range) are not loaded")
        }
        return (chunk, index)
    }

    /// Of a range's first region, within its chunk.
    @inline(__always)
    func region(_ range: ByteRange) -> Int {
        Int(range.firstRegion % UInt64(ChecksumChunk.regionCount))
    }

    /// Of a range's first block, within its page.
    @inline(__always)
    func firstBlock(_ range: ByteRange) -> Int {
        Int(range.offset % ChecksumPage.dataBytes / Geometry.blockBytes)
    }

    @inline(__always)
    func blockCount(_ range: ByteRange) -> Int { Int(range.length / Geometry.blockBytes) }

    private mutating func store(
        _ stored: UInt32, _ chunk: ChecksumChunk, _ index: Int, _ block: Int
    ) {
        if UInt32(littleEndian: chunk.pages[index]?[block] ?? 0) == stored { return }
        makePage(chunk, index)[block] = stored.littleEndian
        markDirty(chunk, index)
        hasLearnedInPass = true
    }

    /// What of a range lies in a region that it touches.
    func part(of range: ByteRange, in region: UInt64) -> ByteRange {
        let start = max(range.offset, region * Geometry.regionBytes)
        let end = min(range.end, (region + 1) * Geometry.regionBytes)
        return ByteRange(offset: start, length: end - start)
    }
}
