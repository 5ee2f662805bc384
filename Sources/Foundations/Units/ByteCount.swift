/// An amount of bytes. GB is 2³⁰ bytes everywhere in cio.
public struct ByteCount: Hashable, Comparable, Sendable, Codable {
    public var bytes: UInt64

    @inlinable public init(_ bytes: UInt64) { self.bytes = bytes }
    @inlinable public init(gigabytes: UInt64) { self.bytes = gigabytes << 30 }

    /// Whole gigabytes, rounded up, as the listings show it.
    @inlinable public var gigabytes: UInt64 { (bytes + (1 << 30) - 1) >> 30 }

    @inlinable public static func < (a: ByteCount, b: ByteCount) -> Bool { a.bytes < b.bytes }
    @inlinable public static func + (a: ByteCount, b: ByteCount) -> ByteCount { .init(a.bytes + b.bytes) }

    public init(from decoder: any Decoder) throws {
        bytes = try decoder.singleValueContainer().decode(UInt64.self)
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(bytes)
    }
}
