import Units
import WireFormat

/// A block of a replica's `checksums` file: of 1,024 blocks, hence 4 MiB or four regions, of data.
///
/// 4 bytes each, little-endian: the CRC32C of the block XOR that of a block of zeros, so that a
/// hole in the file stands for a hole in the data.
public enum ChecksumPage {
    public static let checksumsPerPage = 1024
    public static let byteCount = 4096
    /// 1,024 blocks. (Written out, as is the next, so that nothing is computed at run time.)
    public static let dataBytes: UInt64 = 4 << 20
    public static let regionsPerPage = 4

    /// Of the `checksums` file of a volume of `size` bytes.
    public static func fileBytes(volumeBytes size: UInt64) -> UInt64 {
        (size + dataBytes - 1) / dataBytes * UInt64(byteCount)
    }

    /// Between a block's CRC32C and what is stored; its own inverse.
    @inline(__always)
    public static func stored(_ checksum: UInt32) -> UInt32 {
        checksum ^ BlockChecksums.ofZeroBlock
    }
}
