import Testing
import Units

@testable import WireFormat

@Suite struct BlockChecksumsTests {
    private func blocks(_ count: Int) -> [UInt8] {
        (0..<count * 4096).map { UInt8(truncatingIfNeeded: $0 &* 31 ^ $0 >> 9) }
    }

    @Test func aRowIsPaddedToEightBytes() {
        #expect(
            [0, 1, 2, 3, 256].map { BlockChecksums.byteCount(dataBytes: $0 * 4096) }
                == [0, 8, 8, 16, 1024])
    }

    @Test func aRowHoldsEachBlocksChecksum() {
        let data = blocks(3)
        let row = Bytes(16)
        data.withUnsafeBytes { bytes in
            BlockChecksums.compute(bytes, into: row.start)
            for index in 0..<3 {
                #expect(
                    BlockChecksums.get(index, of: row.start)
                        == crc32c(bytes.baseAddress! + index * 4096, 4096))
            }
            #expect(BlockChecksums.firstMismatch(bytes, row.start) == nil)
        }
        #expect(row.hex(12..<16) == "00000000")
    }

    @Test func aChangedBlockIsFound() {
        var data = blocks(4)
        let row = Bytes(16)
        data.withUnsafeBytes { BlockChecksums.compute($0, into: row.start) }
        data[2 * 4096 + 17] ^= 4
        #expect(data.withUnsafeBytes { BlockChecksums.firstMismatch($0, row.start) } == 2)
    }

    @Test func theZeroBlocksChecksum() {
        let zeros = [UInt8](repeating: 0, count: 4096)
        #expect(BlockChecksums.checksum(ofBlock: zeros) == BlockChecksums.ofZeroBlock)
        #expect(crc32c(zeros, 4096) == BlockChecksums.ofZeroBlock)
    }
}
