import CChecksum
import Units

/// The row of checksums before a payload of blocks: the CRC32C of each block, 4 bytes,
/// little-endian, and 4 bytes of zeros after an odd number of blocks.
public enum BlockChecksums {
    /// Of the row before `dataBytes` of whole blocks.
    public static func byteCount(dataBytes: Int) -> Int {
        (dataBytes / Int(Geometry.blockBytes) * 4 + 7) & ~7
    }

    /// CRC32C of 4,096 zeros.
    public static let ofZeroBlock: UInt32 = 0x98F9_4189

    public static func checksum(ofBlock block: UnsafeRawPointer) -> UInt32 {
        cio_crc32c(0, block, Int(Geometry.blockBytes))
    }

    /// Fills the row for the blocks in `data`.
    public static func compute(_ data: UnsafeRawBufferPointer, into row: UnsafeMutableRawPointer) {
        let blocks = data.count / Int(Geometry.blockBytes)
        for index in 0..<blocks {
            set(
                checksum(ofBlock: data.baseAddress! + index * Int(Geometry.blockBytes)), index,
                of: row)
        }
        if blocks % 2 == 1 { set(0, blocks, of: row) }
    }

    /// - Returns: the index of the first block that does not match its checksum; nil if all do.
    public static func firstMismatch(
        _ data: UnsafeRawBufferPointer, _ row: UnsafeRawPointer
    ) -> Int? {
        for index in 0..<data.count / Int(Geometry.blockBytes) {
            let block = data.baseAddress! + index * Int(Geometry.blockBytes)
            if checksum(ofBlock: block) != get(index, of: row) { return index }
        }
        return nil
    }

    @inline(__always)
    public static func get(_ index: Int, of row: UnsafeRawPointer) -> UInt32 {
        row.loadLittleEndian(index * 4, as: UInt32.self)
    }

    @inline(__always)
    public static func set(_ checksum: UInt32, _ index: Int, of row: UnsafeMutableRawPointer) {
        row.storeLittleEndian(checksum, at: index * 4)
    }
}
