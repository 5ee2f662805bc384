import Units

/// The bounds of everything on the wire, with their arithmetic. A frame beyond one of them is
/// refused before anything in it is used.
public enum WireLimits {
    /// A read or a write lies within one region.
    public static let dataBytesMax = Geometry.regionBytes
    /// One discard or write of zeros: 1,024 regions.
    public static let discardBytesMax: UInt64 = 1 << 30
    /// CRC32C of each block of the longest write: 256 × 4 bytes.
    public static let checksumBytesMax = Geometry.blocksPerRegion * 4
    /// What precedes a payload: the header and the longest row of checksums. A buffer for receiving
    /// needs this much room before its payload.
    public static let leadBytesMax = FrameHeader.byteCount + checksumBytesMax
    /// A list's page: 2,048 entries of 24 bytes, 48 KiB.
    public static let listBytesMax = RegionEntry.pageMax * RegionEntries.entryBytes
    /// A hello may be longer than this version's 128 bytes, and a helloReply than 384: later
    /// versions append fields.
    public static let helloBytesMax = 1024
    /// The reason of a refusal, in UTF-8.
    public static let refusalTextBytesMax = 248
}

/// The versions of the protocol. Each side of a connection offers a range in its hello, and the
/// highest version that both know is used.
public enum WireVersion {
    /// What the frames of a hello and its answer carry, in every version to come.
    public static let ofHello: UInt16 = 1
    public static let supported: ClosedRange<UInt16> = 1...1

    /// The highest version in both ranges; nil where they have none in common.
    public static func agreed(
        _ ours: ClosedRange<UInt16>, _ theirs: ClosedRange<UInt16>
    ) -> UInt16? {
        let version = min(ours.upperBound, theirs.upperBound)
        return version >= max(ours.lowerBound, theirs.lowerBound) ? version : nil
    }
}
