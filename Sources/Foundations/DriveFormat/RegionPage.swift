import CChecksum
import Units

/// A block of a replica's `regions` file: the stamps of 256 regions, 16 bytes each, so that none
/// lies across two sectors and a torn block has old and new entries only.
///
///     0 epoch, 48 bits │ 6 generation, 48 bits │ 12 CRC32C u32 of region u64, epoch, generation
///
/// An entry of zeros is a region that was never written; so is a hole in the file.
public enum RegionPage {
    public static let stampsPerPage = 256
    public static let byteCount = 4096
    static let entryBytes = 16

    /// Of the `regions` file of a volume with that many regions.
    public static func fileBytes(regionCount: UInt64) -> UInt64 {
        let perPage = UInt64(stampsPerPage)
        return (regionCount + perPage - 1) / perPage * UInt64(byteCount)
    }

    /// Writes `byteCount` bytes: the stamps of page `index`.
    public static func encode(
        _ stamps: UnsafePointer<Stamp>, index: Int, to bytes: UnsafeMutableRawPointer
    ) {
        let first = UInt64(index) * UInt64(stampsPerPage)
        for place in 0..<stampsPerPage {
            encode(stamps[place], region: first + UInt64(place), to: bytes + place * entryBytes)
        }
    }

    private static func encode(_ stamp: Stamp, region: UInt64, to entry: UnsafeMutableRawPointer) {
        if stamp == .zero {
            entry.storeLittleEndian(UInt64(0), at: 0)
            entry.storeLittleEndian(UInt64(0), at: 8)
            return
        }
        require(
            stamp.epoch <= Stamp.partMax && stamp.generation <= Stamp.partMax,
            "stamp \(stamp) of region \(region) is above 48 bits")
        entry.storeLittleEndian(stamp.epoch | stamp.generation << 48, at: 0)
        entry.storeLittleEndian(UInt32(truncatingIfNeeded: stamp.generation >> 16), at: 8)
        entry.storeLittleEndian(checksum(UnsafeRawPointer(entry), region), at: 12)
    }

    /// Reads `byteCount` bytes: the stamps of page `index`, into room for `stampsPerPage`.
    public static func decode(
        _ bytes: UnsafeRawPointer, index: Int, into stamps: UnsafeMutablePointer<Stamp>
    ) throws(FormatFault) {
        let first = UInt64(index) * UInt64(stampsPerPage)
        for place in 0..<stampsPerPage {
            let entry = bytes + place * entryBytes
            let low = entry.loadLittleEndian(0, as: UInt64.self)
            let high = entry.loadLittleEndian(8, as: UInt64.self)
            if low == 0 && high == 0 {
                stamps[place] = .zero
                continue
            }
            let region = first + UInt64(place)
            let stamp = Stamp(low & Stamp.partMax, low >> 48 | (high & 0xFFFF_FFFF) << 16)
            guard UInt32(high >> 32) == checksum(entry, region), stamp.epoch > 0 else {
                throw .damagedRegion(region)
            }
            stamps[place] = stamp
        }
    }

    private static func checksum(_ entry: UnsafeRawPointer, _ region: UInt64) -> UInt32 {
        let seed = withUnsafeBytes(of: region.littleEndian) { cio_crc32c(0, $0.baseAddress, 8) }
        return cio_crc32c(seed, entry, 12)
    }
}
