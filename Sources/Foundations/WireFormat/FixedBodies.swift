import CChecksum
import Units

/// The body of a list or checkpoint request: a stamp.
///
///     0 epoch u64 │ 8 generation u64 │ 16 CRC32C u32 of bytes 0..<16 │ 20 zero u32
public enum StampBody {
    public static let byteCount = 24

    public static func encode(_ stamp: Stamp, to bytes: UnsafeMutableRawPointer) {
        bytes.storeLittleEndian(stamp.epoch, at: 0)
        bytes.storeLittleEndian(stamp.generation, at: 8)
        bytes.storeLittleEndian(cio_crc32c(0, bytes, 16), at: 16)
        bytes.storeLittleEndian(UInt32(0), at: 20)
    }

    public static func decode(
        _ bytes: UnsafeRawPointer, of kind: FrameKind
    ) throws(FrameFault) -> Stamp {
        guard bytes.loadLittleEndian(16, as: UInt32.self) == cio_crc32c(0, bytes, 16) else {
            throw .badBodyChecksum(kind)
        }
        guard bytes.loadLittleEndian(20, as: UInt32.self) == 0 else { throw .fieldNotZero(kind) }
        return try bytes.loadStamp(0)
    }
}

/// The body of a promise's reply: what the replica holds.
///
///     0 checkpoint's epoch u64 │ 8 generation u64 │ 16 flags u32: 1 intact, 2 same boot
///     20 CRC32C u32 of bytes 0..<20
public enum HoldingBody {
    public static let byteCount = 24

    public static func encode(_ holding: Holding, to bytes: UnsafeMutableRawPointer) {
        bytes.storeLittleEndian(holding.checkpoint.epoch, at: 0)
        bytes.storeLittleEndian(holding.checkpoint.generation, at: 8)
        let flags: UInt32 = (holding.intact ? 1 : 0) | (holding.sameBoot ? 2 : 0)
        bytes.storeLittleEndian(flags, at: 16)
        bytes.storeLittleEndian(cio_crc32c(0, bytes, 20), at: 20)
    }

    public static func decode(_ bytes: UnsafeRawPointer) throws(FrameFault) -> Holding {
        guard bytes.loadLittleEndian(20, as: UInt32.self) == cio_crc32c(0, bytes, 20) else {
            throw .badBodyChecksum(.reply(.promise))
        }
        let flags = bytes.loadLittleEndian(16, as: UInt32.self)
        guard flags & ~3 == 0 else {
            throw .unknownFlags(.reply(.promise), UInt8(truncatingIfNeeded: flags))
        }
        return Holding(
            checkpoint: try bytes.loadStamp(0), intact: flags & 1 != 0, sameBoot: flags & 2 != 0)
    }
}

extension UnsafeRawPointer {
    func loadStamp(_ offset: Int) throws(FrameFault) -> Stamp {
        let stamp = Stamp(
            loadLittleEndian(offset, as: UInt64.self), loadLittleEndian(offset + 8, as: UInt64.self)
        )
        guard stamp.epoch <= Stamp.partMax, stamp.generation <= Stamp.partMax else {
            throw .badStamp
        }
        return stamp
    }
}
