import CChecksum
import Testing
import Units

@testable import DriveFormat

@Suite struct StateSlotTests {
    private static func slot(_ sequence: UInt64) -> StateSlot {
        StateSlot(
            sequence: sequence, cluster: id(1), drive: id(2), volume: id(3), replica: id(4),
            sizeBytes: 10 << 30, promised: 7 + sequence, promisedTo: id(5), promisedBoot: id(6),
            checkpoint: Stamp(6, 5), wholeBoot: id(7), checksummed: Stamp(6, 4))
    }

    private static func id(_ byte: UInt64) -> Identifier {
        Identifier(high: byte * 0x0101_0101_0101_0101, low: byte)
    }

    /// A state file after the slots were written in this order.
    private static func file(_ slots: StateSlot...) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: StateFile.byteCount)
        bytes.withUnsafeMutableBytes { file in
            for slot in slots { slot.encode(to: file.baseAddress! + Int(slot.fileOffset)) }
        }
        return bytes
    }

    private static func newest(_ bytes: [UInt8]) throws -> StateSlot {
        try bytes.withUnsafeBytes { try StateFile.newest($0.baseAddress!) }
    }

    @Test func theNewestSlotCounts() throws {
        #expect(try Self.newest(Self.file(Self.slot(1))) == Self.slot(1))
        #expect(try Self.newest(Self.file(Self.slot(1), Self.slot(2))) == Self.slot(2))
        #expect(
            try Self.newest(Self.file(Self.slot(1), Self.slot(2), Self.slot(3))) == Self.slot(3))
    }

    /// A write of a slot is torn: each sector of it is old or new. Either the old state is found
    /// or, with every sector that says anything new, the new one; never a mixture.
    @Test func aTornWriteLeavesTheOldStateOrTheNew() throws {
        let before = Self.file(Self.slot(7), Self.slot(8))
        let after = Self.file(Self.slot(7), Self.slot(8), Self.slot(9))
        var new = 0
        for pattern in 0..<256 {
            var torn = before
            for sector in 0..<8 where pattern >> sector & 1 != 0 {
                let range = 4096 + sector * 512..<4096 + (sector + 1) * 512
                torn.replaceSubrange(range, with: after[range])
            }
            let found = try Self.newest(torn)
            #expect(found == Self.slot(8) || found == Self.slot(9), "pattern \(pattern)")
            if found == Self.slot(9) { new += 1 }
        }
        #expect(new == 64, "the sectors between the fields and the checksum are zeros in both")
    }

    @Test func aFlippedBitMakesASlotVoid() throws {
        let whole = Self.file(Self.slot(7), Self.slot(8))
        for bit in 0..<StateSlot.byteCount * 8 {
            var bytes = whole
            bytes[bit / 8] ^= 1 << UInt8(bit % 8)
            #expect(try Self.newest(bytes) == Self.slot(7), "bit \(bit)")
        }
    }

    @Test func twoDamagedSlotsAreRefused() {
        var bytes = Self.file(Self.slot(7), Self.slot(8))
        bytes[100] ^= 1
        bytes[4096 + 100] ^= 1
        #expect(throws: FormatFault.damagedState) { try Self.newest(bytes) }
    }

    /// Sequence 8 belongs into the first slot: found in the second, something copied it there.
    @Test func aSlotInTheOthersPlaceDoesNotCount() throws {
        let bytes = Self.file(Self.slot(7), Self.slot(8))
        #expect(throws: FormatFault.damagedState) {
            try Self.newest(Array(bytes[4096...] + bytes[..<4096]))
        }
        #expect(try Self.newest(Array(bytes[..<4096] + bytes[..<4096])) == Self.slot(8))
    }

    @Test func foreignFilesAreRefused() {
        #expect(throws: FormatFault.foreign) {
            try Self.newest([UInt8](repeating: 0, count: StateFile.byteCount))
        }
        #expect(throws: FormatFault.foreign) {
            try Self.newest([UInt8](repeating: 0x41, count: StateFile.byteCount))
        }
    }

    /// Also where the other slot is one that we know: whoever wrote the newer one meant it.
    @Test func laterVersionsAndFeaturesAreRefused() {
        for (offset, value, fault) in [
            (8, UInt8(2), FormatFault.unsupportedVersion(2)), (12, 5, .unknownFeatures(5)),
        ] {
            for slot in [0, 4096] {
                var bytes = Self.file(Self.slot(7), Self.slot(8))
                bytes[slot + offset] = value
                let checksum = bytes.withUnsafeBytes { cio_crc32c(0, $0.baseAddress! + slot, 4092) }
                for byte in 0..<4 {
                    bytes[slot + 4092 + byte] = UInt8(truncatingIfNeeded: checksum >> (8 * byte))
                }
                #expect(throws: fault) { try Self.newest(bytes) }
            }
        }
    }

    /// So that a change of the format is noticed.
    @Test func theGoldenSlot() {
        let bytes = Self.file(Self.slot(8))
        #expect(String(decoding: bytes[0..<8], as: UTF8.self) == "cio-repl")
        #expect(bytes[8..<24].elementsEqual([1, 0, 0, 0, 0, 0, 0, 0, 8, 0, 0, 0, 0, 0, 0, 0]))
        let tail = bytes[24..<184]
        for (offset, byte) in [(24, 1), (40, 2), (56, 3), (72, 4), (104, 5), (120, 6), (152, 7)] {
            #expect(tail[offset] == UInt8(byte) && tail[offset + 15] == UInt8(byte))
        }
        #expect(tail[88..<96].elementsEqual([0, 0, 0, 0x80, 2, 0, 0, 0]))
        #expect(
            tail[96] == 15 && tail[136] == 6 && tail[144] == 5 && tail[168] == 6 && tail[176] == 4)
        #expect(bytes[184..<4092].allSatisfy { $0 == 0 })
    }
}
