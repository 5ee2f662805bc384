import DriveFormat
import Replication
import Units

/// Blocks whose stored checksum may not be believed, until they are written, read or filled in.
extension ChecksumTable {
    /// The first region at or after `start` with unknown blocks whose stamp is at most `stamp`:
    /// to be read whole and filled in before the checksums can count up to that checkpoint.
    public func firstUnknownRegion(
        from start: UInt64 = 0, upTo stamp: Stamp, in map: borrowing RegionMap
    ) -> UInt64? {
        let perChunk = UInt64(ChecksumChunk.regionCount)
        var region = start
        while region < map.regionCount {
            let number = Int(region / perChunk)
            let chunk = place(number * ChecksumChunk.pageCount).chunk
            guard let found = chunk?.firstUnknown(from: Int(region % perChunk)) else {
                region = UInt64(number + 1) * perChunk
                continue
            }
            region = UInt64(number) * perChunk + UInt64(found)
            if map[region] <= stamp { return region }
            region += 1
        }
        return nil
    }

    /// Bytes of a region: fewer than 1 MiB for the last one of a volume that ends within it.
    public func regionBytes(_ region: UInt64) -> UInt64 {
        min(Geometry.regionBytes, sizeBytes - region * Geometry.regionBytes)
    }

    /// The blocks of a range within one region, which has unknown ones, are known from now on.
    mutating func becomeKnown(_ chunk: ChecksumChunk, _ range: ByteRange) {
        let page = Int(range.offset / ChecksumPage.dataBytes)
        let index = page % ChecksumChunk.pageCount
        let isWhole = range.length == regionBytes(range.firstRegion)
        if chunk.details[index] == nil {
            if isWhole {
                chunk.setUnknowns(region: region(range), false)
                return
            }
            makeDetail(chunk, page)
        }
        let detail = chunk.details[index]!
        Self.set(detail, firstBlock(range), blockCount(range), false)
        let words = Geometry.blocksPerRegion / 64
        let start = Int(range.firstRegion) % ChecksumPage.regionsPerPage * words
        if (start..<start + words).allSatisfy({ detail[$0] == 0 }) {
            chunk.setUnknowns(region: region(range), false)
            if (0..<ChecksumChunk.detailWords).allSatisfy({ detail[$0] == 0 }) {
                detail.deallocate()
                chunk.details[index] = nil
            }
        }
    }

    /// From "regions that are unknown as a whole" to a bit for each block.
    @inline(never)
    private mutating func makeDetail(_ chunk: ChecksumChunk, _ page: Int) {
        let detail = UnsafeMutablePointer<UInt64>.allocate(capacity: ChecksumChunk.detailWords)
        detail.initialize(repeating: 0, count: ChecksumChunk.detailWords)
        let index = page % ChecksumChunk.pageCount
        for place in 0..<ChecksumPage.regionsPerPage {
            let region = index * ChecksumPage.regionsPerPage + place
            guard chunk.hasUnknowns(region: region) else { continue }
            let blocks =
                regionBytes(UInt64(page * ChecksumPage.regionsPerPage + place))
                / Geometry.blockBytes
            Self.set(detail, place * Geometry.blocksPerRegion, Int(blocks), true)
        }
        chunk.details[index] = detail
    }

    /// A write, discard or write of zeros of the range has failed: what is there now is not known.
    public mutating func forget(_ range: ByteRange) {
        for number in range.firstRegion...range.lastRegion {
            forgetInRegion(part(of: range, in: number))
        }
    }

    private mutating func forgetInRegion(_ range: ByteRange) {
        let page = Int(range.offset / ChecksumPage.dataBytes)
        let index = page % ChecksumChunk.pageCount
        let chunk = makeChunk(page / ChecksumChunk.pageCount)
        let isWhole = range.length == regionBytes(range.firstRegion)
        if chunk.details[index] == nil {
            // The region may be unknown as a whole already.
            if chunk.hasUnknowns(region: region(range)) { return }
            if !isWhole { makeDetail(chunk, page) }
        }
        if let detail = chunk.details[index] {
            Self.set(detail, firstBlock(range), blockCount(range), true)
        }
        chunk.setUnknowns(region: region(range), true)
    }

    // MARK: Bits of a page's detail

    static func isSet(_ detail: UnsafeMutablePointer<UInt64>, _ bit: Int) -> Bool {
        detail[bit / 64] >> UInt64(bit % 64) & 1 != 0
    }

    static func set(
        _ detail: UnsafeMutablePointer<UInt64>, _ start: Int, _ count: Int, _ isSet: Bool
    ) {
        for bit in start..<start + count {
            let mask = UInt64(1) << UInt64(bit % 64)
            if isSet { detail[bit / 64] |= mask } else { detail[bit / 64] &= ~mask }
        }
    }
}
