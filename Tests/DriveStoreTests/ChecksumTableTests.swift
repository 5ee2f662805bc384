import DriveFormat
import Replication
import Testing
import Units
import WireFormat

@testable import DriveStore

/// A row of checksums as on the wire, for blocks that nobody has to have.
struct Row {
    let words: [UInt32]

    init(_ checksums: some Sequence<UInt32>) {
        let padding: [UInt32] = [0]
        words = (Array(checksums) + padding).map(\.littleEndian)
    }

    init(_ checksum: UInt32, blocks: Int) { self.init(repeatElement(checksum, count: blocks)) }
}

@Suite struct ChecksumTableTests {
    private static let size: UInt64 = (4 << 30) | (5 << 20) | 8192

    private static func map(_ stamps: [UInt64: Stamp] = [:]) -> RegionMap {
        var map = RegionMap(regionCount: Geometry.regionCount(size))
        for (region, stamp) in stamps { map.load(region, stamp) }
        return map
    }

    private static func table(
        _ stamps: [UInt64: Stamp] = [:], checksummed: Stamp = .zero
    ) -> ChecksumTable {
        ChecksumTable(sizeBytes: size, map: map(stamps), checksummed: checksummed)
    }

    private static func blocks(_ first: UInt64, _ count: UInt64) -> ByteRange {
        ByteRange(offset: first * 4096, length: count * 4096)
    }

    @Test func whatWasNeverWrittenIsZeros() {
        var table = Self.table()
        let zeros = Row(BlockChecksums.ofZeroBlock, blocks: 256)
        for first in [0, 256, 1 << 19, Self.size / 4096 - 2] as [UInt64] {
            let range = Self.blocks(first, 2)
            #expect(table.prepare(range) == .ready)
            #expect(table.verify(range, zeros.words) == nil)
        }
        #expect(table.verify(Self.blocks(256, 256), Row(7, blocks: 256).words) == 1 << 20)
        #expect(table.residentPages == 0, "reading holes takes no memory")
    }

    @Test func whatWasWrittenIsChecked() {
        var table = Self.table()
        table.set(Self.blocks(3, 3), Row([10, 11, 12]).words)
        #expect(table.verify(Self.blocks(3, 3), Row([10, 11, 12]).words) == nil)
        #expect(table.verify(Self.blocks(4, 1), Row([11]).words) == nil)
        #expect(table.verify(Self.blocks(3, 3), Row([10, 11, 13]).words) == 5 * 4096)
        table.clear(Self.blocks(4, 1))
        #expect(
            table.verify(Self.blocks(3, 3), Row([10, BlockChecksums.ofZeroBlock, 12]).words) == nil)
        #expect(table.residentPages == 1 && table.dirtyPages == 1)
    }

    @Test func aStoredPageIsLoadedOnce() {
        var table = Self.table()
        table.noteStored(page: 513)
        let range = ByteRange(offset: 513 << 22, length: 8192)
        #expect(table.prepare(range) == .load(page: 513))
        #expect(table.prepare(range) == .loading(page: 513))
        table.loadFailed(page: 513)
        #expect(table.prepare(range) == .load(page: 513))
        var page = [UInt32](repeating: 0, count: 1024)
        page[1] = ChecksumPage.stored(77).littleEndian
        table.loaded(page: 513, page)
        #expect(table.prepare(range) == .ready)
        #expect(table.verify(range, Row([BlockChecksums.ofZeroBlock, 77]).words) == nil)
        #expect(table.dirtyPages == 0)
    }

    /// Pages within a discard are not loaded, those at its ends are, and none may be on its way.
    @Test func aDiscardLoadsItsEnds() {
        var table = Self.table()
        for page in 0..<4 { table.noteStored(page: page) }
        let whole = Self.blocks(0, 2048)
        #expect(table.prepareClear(whole) == .ready)
        let range = Self.blocks(1000, 2048)
        #expect(table.prepareClear(range) == .load(page: 0))
        #expect(table.prepareClear(range) == .loading(page: 0))
        let page = [UInt32](repeating: ChecksumPage.stored(5).littleEndian, count: 1024)
        table.loaded(page: 0, page)
        #expect(table.prepareClear(range) == .load(page: 2))
        table.loaded(page: 2, page)
        #expect(table.prepareClear(range) == .ready)
        table.clear(range)
        #expect(table.verify(Self.blocks(998, 2), Row(5, blocks: 2).words) == nil)
        let zero = BlockChecksums.ofZeroBlock
        #expect(table.verify(Self.blocks(1000, 24), Row(zero, blocks: 24).words) == nil)
        #expect(table.verify(Self.blocks(1024, 256), Row(zero, blocks: 256).words) == nil)
        #expect(table.verify(Self.blocks(3048, 2), Row(5, blocks: 2).words) == nil)
        #expect(table.dirtyPages == 3)
        #expect(table.prepareClear(Self.blocks(0, UInt64(1024 * 5))) == .ready)
    }

    @Test func aLongDiscardOfNothingTakesNoMemory() {
        var table = Self.table()
        let range = ByteRange(offset: 1 << 30, length: 1 << 30)
        #expect(table.prepareClear(range) == .ready)
        table.clear(range)
        #expect(table.residentPages == 0 && table.dirtyPages == 0)
    }

    @Test func blocksAboveTheCheckpointAreRecordedFirst() {
        var table = Self.table([0: Stamp(1, 2), 1: Stamp(1, 1)], checksummed: Stamp(1, 1))
        // Region 0 is unknown: the first read teaches, the second is checked.
        #expect(table.verify(Self.blocks(0, 2), Row([5, 6]).words) == nil)
        #expect(table.verify(Self.blocks(0, 2), Row([5, 7]).words) == 4096)
        #expect(table.verify(Self.blocks(2, 1), Row([9]).words) == nil)
        // Region 1 is known: its checksums count from the start.
        #expect(table.verify(Self.blocks(256, 1), Row([9]).words) == 1 << 20)
    }

    @Test func writesMakeBlocksKnown() {
        let map = Self.map([0: Stamp(2, 1)])
        var table = ChecksumTable(sizeBytes: Self.size, map: map, checksummed: .zero)
        table.set(Self.blocks(0, 255), Row(3, blocks: 255).words)
        #expect(table.firstUnknownRegion(upTo: Stamp(2, 1), in: map) == 0)
        table.clear(Self.blocks(255, 1))
        #expect(table.firstUnknownRegion(upTo: Stamp(2, 1), in: map) == nil)
        #expect(table.verify(Self.blocks(254, 1), Row([4]).words) == 254 * 4096)
    }

    /// A fill comes from a read that may be older than a write: what the write set stays.
    @Test func aFillLeavesWhatIsKnown() {
        let map = Self.map([0: Stamp(2, 1)])
        var table = ChecksumTable(sizeBytes: Self.size, map: map, checksummed: .zero)
        table.set(Self.blocks(7, 1), Row([42]).words)
        table.fill(Self.blocks(0, 256), Row(3, blocks: 256).words)
        #expect(table.verify(Self.blocks(7, 1), Row([42]).words) == nil)
        #expect(table.verify(Self.blocks(8, 1), Row([3]).words) == nil)
        #expect(table.verify(Self.blocks(8, 1), Row([42]).words) == 8 * 4096)
        #expect(table.firstUnknownRegion(upTo: Stamp(2, 1), in: map) == nil)
    }

    @Test func unknownRegionsAreFoundUpToAStamp() {
        let last = Geometry.regionCount(Self.size) - 1
        let map = Self.map([5: Stamp(2, 1), 6: Stamp(3, 1), 4000: Stamp(2, 2), last: Stamp(2, 3)])
        var table = ChecksumTable(sizeBytes: Self.size, map: map, checksummed: Stamp(1, 9))
        var found: [UInt64] = []
        while let region = table.firstUnknownRegion(upTo: Stamp(2, 3), in: map) {
            found.append(region)
            let bytes = table.regionBytes(region)
            #expect(bytes == (region == last ? 8192 : 1 << 20))
            let range = ByteRange(offset: region << 20, length: bytes)
            table.fill(range, Row(1, blocks: Int(bytes / 4096)).words)
        }
        #expect(found == [5, 4000, last])
        #expect(table.firstUnknownRegion(upTo: Stamp(9, 9), in: map) == 6)
        #expect(table.firstUnknownRegion(from: 7, upTo: Stamp(9, 9), in: map) == nil)
    }

    @Test func aFailedWriteIsForgotten() {
        let map = Self.map([1: Stamp(1, 1)])
        var table = ChecksumTable(sizeBytes: Self.size, map: map, checksummed: Stamp(1, 1))
        table.set(Self.blocks(256, 4), Row([1, 2, 3, 4]).words)
        table.forget(Self.blocks(257, 2))
        #expect(table.firstUnknownRegion(upTo: Stamp(1, 1), in: map) == 1)
        #expect(table.verify(Self.blocks(256, 4), Row([1, 8, 9, 4]).words) == nil)
        #expect(table.verify(Self.blocks(256, 4), Row([1, 2, 9, 4]).words) == 257 * 4096)
        #expect(table.firstUnknownRegion(upTo: Stamp(1, 1), in: map) == nil)
        table.forget(Self.blocks(0, 1024))
        #expect(table.verify(Self.blocks(256, 1), Row([99]).words) == nil)
    }

    @Test func dirtyPagesAreWrittenInRuns() {
        var table = Self.table()
        for page in [0, 1, 2, 511, 512, 600] as [UInt64] {
            table.set(Self.blocks(page * 1024 + 9, 1), Row([UInt32(page)]).words)
        }
        let buffer = AlignedMemory(count: 2 * 4096)
        var runs: [ChecksumTable.PageRun] = []
        var page = 0
        while let run = table.beginWriting(from: page, to: buffer.bytes, room: 2) {
            let stored = (buffer.bytes + 36).load(as: UInt32.self)
            #expect(UInt32(littleEndian: stored) == ChecksumPage.stored(UInt32(run.first)))
            runs.append(run)
            page = run.next
        }
        #expect(runs.map(\.first) == [0, 2, 511, 600] && runs.map(\.count) == [2, 1, 2, 1])
        #expect(runs[2].offset == 511 * 4096 && runs[2].byteCount == 8192)
        #expect(table.dirtyPages == 0)
        // While a page is being written it can be changed: it is dirty for the next pass.
        table.set(Self.blocks(9, 1), Row([1]).words)
        for run in runs { table.finishedWriting(run, succeeded: run.first != 600) }
        #expect(table.dirtyPages == 2)
        #expect(table.beginWriting(from: 1, to: buffer.bytes, room: 2)?.first == 600)
        #expect(table.beginWriting(from: 0, to: buffer.bytes, room: 2)?.first == 0)
        #expect(table.beginWriting(from: 0, to: buffer.bytes, room: 2) == nil)
    }

    /// The first page is written, then a read records a block in it: the sidecar does not have it.
    @Test func whatIsLearnedBehindAPassIsNotVouchedFor() {
        let map = Self.map([0: Stamp(1, 1)])
        var table = ChecksumTable(sizeBytes: Self.size, map: map, checksummed: .zero)
        let buffer = AlignedMemory(count: 4096)
        table.set(Self.blocks(0, 255), Row(3, blocks: 255).words)
        let run = table.beginWriting(from: 0, to: buffer.bytes, room: 1)!
        #expect(table.vouches(upTo: Stamp(1, 1), in: map) == false)
        #expect(table.verify(Self.blocks(255, 1), Row([4]).words) == nil)
        table.finishedWriting(run, succeeded: true)
        #expect(table.firstUnknownRegion(upTo: Stamp(1, 1), in: map) == nil)
        #expect(table.vouches(upTo: Stamp(1, 1), in: map) == false)
        let second = table.beginWriting(from: 0, to: buffer.bytes, room: 1)!
        table.finishedWriting(second, succeeded: true)
        #expect(table.vouches(upTo: Stamp(1, 1), in: map) == true)
    }

    @Test func onlyCleanPagesAreTrimmed() {
        var table = Self.table()
        let buffer = AlignedMemory(count: 4096)
        for page in 0..<8 as Range<UInt64> {
            table.set(Self.blocks(page * 1024, 1), Row([UInt32(page)]).words)
        }
        table.trim(to: 0)
        #expect(table.residentPages == 8, "all of them are dirty")
        for page in 0..<4 {
            let run = table.beginWriting(from: page, to: buffer.bytes, room: 1)!
            if page > 0 { table.finishedWriting(run, succeeded: true) }
        }
        table.trim(to: 0)
        #expect(table.residentPages == 5, "one is being written, four are dirty")
        #expect(table.prepare(Self.blocks(1024, 1)) == .load(page: 1))
        #expect(table.prepare(Self.blocks(0, 1)) == .ready)
        #expect(table.prepare(Self.blocks(7 * 1024, 1)) == .ready)
    }

    /// Second chance: what was used since the last time stays longer.
    @Test func trimTakesTheLeastUsedFirst() {
        var table = Self.table()
        let buffer = AlignedMemory(count: 8 * 4096)
        for page in 0..<8 as Range<UInt64> {
            table.set(Self.blocks(page * 1024, 1), Row([UInt32(page)]).words)
        }
        table.finishedWriting(
            table.beginWriting(from: 0, to: buffer.bytes, room: 8)!, succeeded: true)
        table.trim(to: 7)
        #expect(table.prepare(Self.blocks(3 * 1024, 1)) == .ready)
        table.trim(to: 1)
        #expect(table.residentPages == 1)
        #expect(table.prepare(Self.blocks(3 * 1024, 1)) == .ready)
    }
}
