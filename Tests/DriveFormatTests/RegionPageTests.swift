import Testing
import Units

@testable import DriveFormat

@Suite struct RegionPageTests {
    private static func stamps() -> [Stamp] {
        (0..<UInt64(RegionPage.stampsPerPage)).map {
            switch $0 % 4 {
            case 0: .zero
            case 1: Stamp($0, 1)
            case 2: Stamp(Stamp.partMax, Stamp.partMax - $0)
            default: Stamp(1 << 47 | $0, $0 << 30)
            }
        }
    }

    private static func encoded(_ stamps: [Stamp], page: Int) -> [UInt8] {
        var bytes = [UInt8](repeating: 0xEE, count: RegionPage.byteCount)
        bytes.withUnsafeMutableBytes { RegionPage.encode(stamps, index: page, to: $0.baseAddress!) }
        return bytes
    }

    private static func decoded(_ bytes: [UInt8], page: Int) throws -> [Stamp] {
        var stamps = [Stamp](repeating: Stamp(9, 9), count: RegionPage.stampsPerPage)
        try bytes.withUnsafeBytes { bytes in
            try RegionPage.decode(bytes.baseAddress!, index: page, into: &stamps)
        }
        return stamps
    }

    @Test(arguments: [0, 1, 262_143])
    func pagesComeBack(page: Int) throws {
        let bytes = Self.encoded(Self.stamps(), page: page)
        #expect(try Self.decoded(bytes, page: page) == Self.stamps())
    }

    @Test func aHoleWasNeverWritten() throws {
        let zeros = [UInt8](repeating: 0, count: RegionPage.byteCount)
        #expect(try Self.decoded(zeros, page: 3).allSatisfy { $0 == .zero })
        let none = [Stamp](repeating: .zero, count: RegionPage.stampsPerPage)
        #expect(Self.encoded(none, page: 3) == zeros)
    }

    @Test func everyFlippedBitIsRefused() {
        let bytes = Self.encoded(Self.stamps(), page: 2)
        for bit in 0..<RegionPage.byteCount * 8 {
            var damaged = bytes
            damaged[bit / 8] ^= 1 << UInt8(bit % 8)
            #expect(throws: FormatFault.damagedRegion(512 + UInt64(bit / 128))) {
                try Self.decoded(damaged, page: 2)
            }
        }
    }

    /// A page that was written to another page's place, or an entry to another's.
    @Test func misplacedEntriesAreRefused() {
        let bytes = Self.encoded(Self.stamps(), page: 2)
        #expect(throws: FormatFault.damagedRegion(3 * 256 + 1)) { try Self.decoded(bytes, page: 3) }
        var swapped = bytes
        swapped.replaceSubrange(16..<32, with: bytes[32..<48])
        #expect(throws: FormatFault.damagedRegion(513)) { try Self.decoded(swapped, page: 2) }
    }

    /// Each 512-byte sector is old or new: every entry is one of the two, and its region's.
    @Test func aTornPageHasOldAndNewEntries() throws {
        let old = Self.stamps()
        let new = old.map { Stamp($0.epoch | 1, $0.generation | 1) }
        let before = Self.encoded(old, page: 5)
        let after = Self.encoded(new, page: 5)
        for pattern in 0..<256 {
            var torn = before
            for sector in 0..<8 where pattern >> sector & 1 != 0 {
                let range = sector * 512..<(sector + 1) * 512
                torn.replaceSubrange(range, with: after[range])
            }
            let found = try Self.decoded(torn, page: 5)
            for place in found.indices {
                let isNew = pattern >> (place / 32) & 1 != 0
                #expect(found[place] == (isNew ? new : old)[place])
            }
        }
    }

    @Test func theGoldenEntry() {
        var stamps = [Stamp](repeating: .zero, count: RegionPage.stampsPerPage)
        stamps[1] = Stamp(0x0102_0304_0506, 0x1112_1314_1516)
        let entry = Self.encoded(stamps, page: 0)[16..<32]
        #expect(
            entry.prefix(12).elementsEqual(
                [0x06, 0x05, 0x04, 0x03, 0x02, 0x01, 0x16, 0x15, 0x14, 0x13, 0x12, 0x11]))
    }

    @Test func sizes() {
        #expect(RegionPage.fileBytes(regionCount: 1) == 4096)
        #expect(RegionPage.fileBytes(regionCount: 256) == 4096)
        #expect(RegionPage.fileBytes(regionCount: 257) == 8192)
        #expect(ChecksumPage.fileBytes(volumeBytes: 4096) == 4096)
        #expect(ChecksumPage.fileBytes(volumeBytes: 64 << 40) == 64 << 30)
        #expect(
            ChecksumPage.dataBytes == UInt64(ChecksumPage.checksumsPerPage) * Geometry.blockBytes)
        #expect(
            ChecksumPage.dataBytes == UInt64(ChecksumPage.regionsPerPage) * Geometry.regionBytes)
    }
}
