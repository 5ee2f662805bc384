import CChecksum
import Units

/// What a list's reply carries: a prefix of 8 bytes, then up to 2,048 entries as its payload.
///
///     prefix:  0 zero u32 │ 4 CRC32C u32 of all entries
///     entry:   0 region u64 │ 8 epoch u64 │ 16 generation u64
///
/// Regions rise from entry to entry. `next` in the header's offset is above the last of them.
public enum RegionEntries {
    public static let headBytes = 8
    public static let entryBytes = 24

    /// Writes the payload, then the prefix over it. `payload` may be the memory of `entries`.
    public static func encode(
        _ entries: UnsafeBufferPointer<RegionEntry>, payload: UnsafeMutableRawPointer,
        prefix: UnsafeMutableRawPointer
    ) {
        require(entries.count <= RegionEntry.pageMax, "\(entries.count) entries in one page")
        for index in entries.indices {
            let entry = entries[index]
            let bytes = payload + index * entryBytes
            bytes.storeLittleEndian(entry.region, at: 0)
            bytes.storeLittleEndian(entry.stamp.epoch, at: 8)
            bytes.storeLittleEndian(entry.stamp.generation, at: 16)
        }
        prefix.storeLittleEndian(UInt32(0), at: 0)
        prefix.storeLittleEndian(cio_crc32c(0, payload, entries.count * entryBytes), at: 4)
    }

    /// Reads the entries of a header that `FrameHeader.decode` accepted.
    /// - Parameters:
    ///   - start: the region that the request named; every entry is at or above it.
    ///   - entries: room for `RegionEntry.pageMax`; may be the memory of `payload`.
    /// - Returns: how many there are.
    public static func decode(
        _ header: FrameHeader, prefix: UnsafeRawPointer, payload: UnsafeRawPointer,
        from start: UInt64, regionCount: UInt64,
        into entries: UnsafeMutableBufferPointer<RegionEntry>
    ) throws(FrameFault) -> Int {
        let count = header.payloadBytes / entryBytes
        require(entries.count >= count, "room for \(entries.count) entries, \(count) have come")
        guard prefix.loadLittleEndian(0, as: UInt32.self) == 0 else {
            throw .fieldNotZero(header.kind)
        }
        guard
            prefix.loadLittleEndian(4, as: UInt32.self)
                == cio_crc32c(0, payload, count * entryBytes)
        else { throw .badBodyChecksum(header.kind) }
        var lowest = start
        for index in 0..<count {
            let region = payload.loadLittleEndian(index * entryBytes, as: UInt64.self)
            let stamp = try payload.loadStamp(index * entryBytes + 8)
            guard region >= lowest, region < regionCount else { throw .badEntry(index: index) }
            lowest = region + 1
            entries[index] = RegionEntry(region: region, stamp: stamp)
        }
        // A page that leads nowhere further would be asked for for ever.
        let next = header.offset
        guard next == ReplicaReply.listEnd || (next >= lowest && next > start) else {
            throw .badOffset(header.kind, next)
        }
        return count
    }
}
