/// The three sizes that a volume is cut into, and its limits.
public enum Geometry {
    /// 512 bytes: the smallest request a front end may send.
    public static let sectorBytes: UInt64 = 512
    /// 4 KiB: the unit of range locks, checksums and copying.
    public static let blockBytes: UInt64 = 4096
    /// 1 MiB: the unit of stamps and of rebuild locks.
    public static let regionBytes: UInt64 = 1 << 20
    public static let blocksPerRegion = 256

    public static let volumeBytesMin: UInt64 = 1 << 30
    public static let volumeBytesMax: UInt64 = 64 << 40
    /// ext4 holds no larger file (with 4 KiB blocks).
    public static let volumeBytesMaxOnExt4: UInt64 = 16 << 40
    public static let copiesMax = 3

    @inlinable public static func region(of offset: UInt64) -> UInt64 { offset / regionBytes }

    /// The number of regions of a volume of `size` bytes; the last one may be short.
    @inlinable public static func regionCount(_ size: UInt64) -> UInt64 {
        (size + regionBytes - 1) / regionBytes
    }
}

/// A range of bytes in a volume: [offset, offset + length).
public struct ByteRange: Hashable, Sendable {
    public var offset: UInt64
    public var length: UInt64

    @inlinable public init(offset: UInt64, length: UInt64) {
        self.offset = offset
        self.length = length
    }

    @inlinable public var end: UInt64 { offset + length }

    @inlinable public func overlaps(_ other: ByteRange) -> Bool {
        offset < other.end && other.offset < end
    }

    /// The smallest range of whole blocks around this one.
    @inlinable public var blockAligned: ByteRange {
        let mask = Geometry.blockBytes - 1
        let start = offset & ~mask
        return ByteRange(offset: start, length: ((end + mask) & ~mask) - start)
    }

    /// Whether both ends lie on block boundaries.
    @inlinable public var isBlockAligned: Bool { (offset | length) & (Geometry.blockBytes - 1) == 0 }

    @inlinable public var firstRegion: UInt64 { offset / Geometry.regionBytes }
    /// The last region touched; meaningful for a length above zero only.
    @inlinable public var lastRegion: UInt64 { (end - 1) / Geometry.regionBytes }
}
