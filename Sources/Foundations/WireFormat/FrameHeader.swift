import CChecksum
import Units

/// Where the fields of a header lie: docs/protocol.md shows the same table, and a test compares.
public enum HeaderLayout {
    public static let magic = 0
    public static let version = 4
    public static let kind = 6
    public static let flags = 7
    public static let request = 8
    public static let epoch = 16
    public static let generation = 24
    public static let volume = 32
    public static let offset = 48
    public static let length = 56
    public static let checksum = 60

    /// (name, offset, bytes), in order and without gaps.
    public static var fields: [(name: String, offset: Int, bytes: Int)] {
        [
            ("magic", magic, 4), ("version", version, 2), ("kind", kind, 1), ("flags", flags, 1),
            ("request", request, 8), ("epoch", epoch, 8), ("generation", generation, 8),
            ("volume", volume, 16), ("offset", offset, 8), ("length", length, 4),
            ("checksum", checksum, 4),
        ]
    }
}

/// The 64 bytes that every frame begins with.
///
///     header (64) │ prefix: checksums or a fixed body │ payload: blocks or entries
///                 └──────────── bodyBytes ────────────────────────────────────────┘
///
/// The payload begins at a multiple of 8 bytes after the header; whoever receives reads header and
/// prefix to just before an aligned buffer, and the payload into it.
public struct FrameHeader: Equatable, Sendable {
    public static let byteCount = 64
    /// Its first byte on the wire is no text's: a stray client of another protocol is told apart at
    /// once.
    public static let magic: UInt32 = 0xC10D_A7A1

    public var kind: FrameKind
    /// A request's `FrameFlags`, or a reply's `ReplyStatus`.
    public var flags: UInt8
    public var version: UInt16
    public var request: UInt64
    public var epoch: Epoch
    public var generation: Generation
    public var volume: VolumeID
    /// Bytes; a list's first region, and in its reply the region to go on from.
    public var offset: UInt64
    /// The range's length for reads and changes; otherwise the bytes of the body, or of a list
    /// reply's entries.
    public var length: UInt32

    public init(
        _ kind: FrameKind, version: UInt16, flags: UInt8 = 0, request: UInt64 = 0,
        epoch: Epoch = 0, generation: Generation = 0, volume: VolumeID = .zero,
        offset: UInt64 = 0, length: UInt32 = 0
    ) {
        self.kind = kind
        self.flags = flags
        self.version = version
        self.request = request
        self.epoch = epoch
        self.generation = generation
        self.volume = volume
        self.offset = offset
        self.length = length
    }

    /// Writes 64 bytes.
    public func encode(to bytes: UnsafeMutableRawPointer) {
        bytes.storeLittleEndian(Self.magic, at: HeaderLayout.magic)
        bytes.storeLittleEndian(version, at: HeaderLayout.version)
        bytes.storeLittleEndian(kind.rawValue, at: HeaderLayout.kind)
        bytes.storeLittleEndian(flags, at: HeaderLayout.flags)
        bytes.storeLittleEndian(request, at: HeaderLayout.request)
        bytes.storeLittleEndian(epoch, at: HeaderLayout.epoch)
        bytes.storeLittleEndian(generation, at: HeaderLayout.generation)
        bytes.storeIdentifier(volume, at: HeaderLayout.volume)
        bytes.storeLittleEndian(offset, at: HeaderLayout.offset)
        bytes.storeLittleEndian(length, at: HeaderLayout.length)
        bytes.storeLittleEndian(
            cio_crc32c(0, bytes, HeaderLayout.checksum), at: HeaderLayout.checksum)
    }

    /// Reads 64 bytes at any alignment, and believes nothing in them before it is checked.
    public static func decode(
        _ bytes: UnsafeRawPointer, expecting expectation: FrameExpectation
    ) throws(FrameFault) -> FrameHeader {
        let magic = bytes.loadLittleEndian(HeaderLayout.magic, as: UInt32.self)
        guard magic == Self.magic else { throw .badMagic(magic) }
        let stored = bytes.loadLittleEndian(HeaderLayout.checksum, as: UInt32.self)
        let computed = cio_crc32c(0, bytes, HeaderLayout.checksum)
        guard stored == computed else { throw .badHeaderChecksum(stored, computed: computed) }
        let rawKind = bytes.loadLittleEndian(HeaderLayout.kind, as: UInt8.self)
        guard let kind = FrameKind(rawValue: rawKind) else { throw .unknownKind(rawKind) }
        let header = FrameHeader(
            kind,
            version: bytes.loadLittleEndian(HeaderLayout.version, as: UInt16.self),
            flags: bytes.loadLittleEndian(HeaderLayout.flags, as: UInt8.self),
            request: bytes.loadLittleEndian(HeaderLayout.request, as: UInt64.self),
            epoch: bytes.loadLittleEndian(HeaderLayout.epoch, as: UInt64.self),
            generation: bytes.loadLittleEndian(HeaderLayout.generation, as: UInt64.self),
            volume: bytes.loadIdentifier(HeaderLayout.volume),
            offset: bytes.loadLittleEndian(HeaderLayout.offset, as: UInt64.self),
            length: bytes.loadLittleEndian(HeaderLayout.length, as: UInt32.self))
        try header.check(against: expectation)
        return header
    }
}

// MARK: What follows

extension FrameHeader {
    /// Bytes between the header and the payload, a multiple of 8: at most
    /// `WireLimits.checksumBytesMax`.
    public var prefixBytes: Int {
        switch kind {
        case .hello, .helloReply: Int(length)
        case .heartbeat: 0
        case .request(.write), .reply(.read): BlockChecksums.byteCount(dataBytes: Int(length))
        case .request(.list), .request(.checkpoint): Int(length)
        case .reply(.promise): Int(length)
        case .reply(.list): flags == ReplyStatus.ok.rawValue ? RegionEntries.headBytes : 0
        case .request, .reply: 0
        }
    }

    /// Bytes of blocks or entries: a write's, a read reply's or a list reply's; 0 for others.
    public var payloadBytes: Int {
        switch kind {
        case .request(.write), .reply(.read), .reply(.list): Int(length)
        default: 0
        }
    }

    /// Everything that follows the header.
    public var bodyBytes: Int { prefixBytes + payloadBytes }
}
