import CChecksum
import Testing

@Suite struct ChecksumTests {
    private func checksum(_ bytes: [UInt8]) -> [UInt32] {
        [cio_crc32c(0, bytes, bytes.count), cio_crc32c_portable(0, bytes, bytes.count)]
    }

    /// RFC 3720, appendix B.4, and the catalogue of CRCs' check value for "123456789".
    @Test func knownValues() {
        let vectors: [([UInt8], UInt32)] = [
            ([UInt8](repeating: 0, count: 32), 0x8A91_36AA),
            ([UInt8](repeating: 0xFF, count: 32), 0x62A8_AB43),
            ([UInt8](0..<32), 0x46DD_794E),
            ([UInt8]((0..<32).reversed()), 0x113F_DB5C),
            (Self.scsiRead, 0xD996_3A56),
            ([UInt8]("123456789".utf8), 0xE306_9283),
            ([], 0),
        ]
        for (bytes, expected) in vectors { #expect(checksum(bytes) == [expected, expected]) }
    }

    /// The RFC's "iSCSI - SCSI Read (10) Command PDU".
    private static let scsiRead: [UInt8] = {
        var bytes = [UInt8](repeating: 0, count: 48)
        for (place, value) in [(0, 0x01), (1, 0xC0), (16, 0x14), (22, 0x04), (27, 0x14), (31, 0x18),
                               (32, 0x28), (40, 0x02)] {
            bytes[place] = UInt8(value)
        }
        return bytes
    }()

    private static func noise(_ count: Int) -> [UInt8] {
        var state: UInt64 = 1
        return (0..<count).map { _ in
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return UInt8(truncatingIfNeeded: state >> 33)
        }
    }

    @Test func theInstructionAndTheTableAgreeAtEveryLengthAndOffset() {
        let bytes = Self.noise(5000 + 16)
        var differences = 0
        bytes.withUnsafeBytes { bytes in
            for length in 0...5000 {
                for offset in [length % 16, (length * 7 + 3) % 16] {
                    let start = bytes.baseAddress! + offset
                    let seed = UInt32(truncatingIfNeeded: length &* 2_654_435_761)
                    if cio_crc32c(seed, start, length) != cio_crc32c_portable(seed, start, length) {
                        differences += 1
                    }
                }
            }
            for offset in 0..<16 {
                for length in [0, 1, 7, 8, 9, 4079, 4080, 4081, 4096, 5000] {
                    let start = bytes.baseAddress! + offset
                    if cio_crc32c(0, start, length) != cio_crc32c_portable(0, start, length) {
                        differences += 1
                    }
                }
            }
        }
        #expect(differences == 0)
    }

    @Test func piecesGiveTheChecksumOfTheWhole() {
        let bytes = Self.noise(9000)
        let whole = checksum(bytes)[0]
        for cut in [0, 1, 8, 100, 4080, 4096, 8999, 9000] {
            let first = cio_crc32c(0, bytes, cut)
            let rest = Array(bytes[cut...])
            #expect(cio_crc32c(first, rest, rest.count) == whole)
        }
    }

    @Test func everyFlippedBitIsSeen() {
        var bytes = Self.noise(4096)
        let good = checksum(bytes)[0]
        for bit in 0..<4096 * 8 {
            bytes[bit / 8] ^= 1 << (bit % 8)
            if cio_crc32c(0, bytes, 4096) == good { Issue.record("bit \(bit)") }
            bytes[bit / 8] ^= 1 << (bit % 8)
        }
    }
}
