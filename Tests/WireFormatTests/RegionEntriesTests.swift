import Testing
import Units

@testable import WireFormat

@Suite struct RegionEntriesTests {
    private static let regions = Geometry.regionCount(Sample.size)

    private func coded(
        _ entries: [RegionEntry], next: UInt64, from start: UInt64 = 0, flip bit: Int? = nil
    ) throws(FrameFault) -> [RegionEntry] {
        let bytes = Bytes(128 + WireLimits.listBytesMax)
        let reply = ReplicaReply(.list, id: 1, status: .ok, epoch: 1, nextRegion: next)
        _ = reply.encode(
            volume: Sample.volume, version: 1, entries: entries.count, to: bytes.start)
        let payload = bytes.start + 72
        entries.withUnsafeBufferPointer {
            RegionEntries.encode($0, payload: payload, prefix: bytes.start + 64)
        }
        let header = try FrameHeader.decode(bytes.start, expecting: Sample.replies)
        if let bit { bytes.flip(bit: 64 * 8 + bit) }
        let room = UnsafeMutableBufferPointer<RegionEntry>.allocate(capacity: RegionEntry.pageMax)
        defer { room.deallocate() }
        let count = try RegionEntries.decode(
            header, prefix: bytes.start + 64, payload: payload, from: start,
            regionCount: Self.regions, into: room)
        return Array(room.prefix(count))
    }

    private func entries(_ count: Int, from first: UInt64 = 0) -> [RegionEntry] {
        (0..<UInt64(count)).map {
            RegionEntry(region: first + $0 * 3, stamp: Stamp($0 + 1, Stamp.partMax - $0))
        }
    }

    @Test func pagesComeBack() throws {
        for count in [0, 1, 2, RegionEntry.pageMax] {
            #expect(try coded(entries(count), next: ReplicaReply.listEnd) == entries(count))
        }
        #expect(try coded(entries(3, from: 10), next: 17, from: 10) == entries(3, from: 10))
    }

    /// The machine's own layout is the wire's, so that a page can be coded where it lies.
    @Test func aPageIsCodedInPlace() throws {
        let room = UnsafeMutableBufferPointer<RegionEntry>.allocate(capacity: 100)
        defer { room.deallocate() }
        _ = room.initialize(from: entries(100))
        let prefix = Bytes(8)
        RegionEntries.encode(
            UnsafeBufferPointer(room), payload: UnsafeMutableRawPointer(room.baseAddress!),
            prefix: prefix.start)
        let header = FrameHeader(
            .reply(.list), version: 1, offset: ReplicaReply.listEnd, length: 2400)
        let count = try RegionEntries.decode(
            header, prefix: prefix.start, payload: UnsafeRawPointer(room.baseAddress!), from: 0,
            regionCount: Self.regions, into: room)
        #expect(Array(room.prefix(count)) == entries(100))
    }

    @Test func damageIsRefused() {
        for bit in 0..<(8 + 2 * 24) * 8 {
            #expect(throws: FrameFault.self) {
                try coded(entries(2), next: ReplicaReply.listEnd, flip: bit)
            }
        }
    }

    @Test func entriesOutOfOrderAreRefused() {
        let page = entries(3)
        #expect(throws: FrameFault.badEntry(index: 1)) {
            try coded([page[1], page[0], page[2]], next: ReplicaReply.listEnd)
        }
        #expect(throws: FrameFault.badEntry(index: 1)) {
            try coded([page[1], page[1]], next: ReplicaReply.listEnd)
        }
        #expect(throws: FrameFault.badEntry(index: 0)) {
            try coded(page, next: ReplicaReply.listEnd, from: 1)
        }
        let beyond = RegionEntry(region: Self.regions, stamp: Stamp(1, 1))
        #expect(throws: FrameFault.badEntry(index: 0)) {
            try coded([beyond], next: ReplicaReply.listEnd)
        }
        #expect(throws: FrameFault.badStamp) {
            try coded(
                [RegionEntry(region: 1, stamp: Stamp(1, 1 << 48))], next: ReplicaReply.listEnd)
        }
    }

    @Test func aListThatDoesNotAdvanceIsRefused() {
        #expect(throws: FrameFault.badOffset(.reply(.list), 6)) { try coded(entries(3), next: 6) }
        #expect(throws: FrameFault.badOffset(.reply(.list), 5)) {
            try coded([], next: 5, from: 5)
        }
    }
}
