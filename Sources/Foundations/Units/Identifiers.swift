/// A 128-bit random identifier, as it stands on disk, in records and on the wire.
///
/// The 8 hex digits that people see are its first four bytes.
public struct Identifier: Hashable, Comparable, Sendable {
    public var high: UInt64
    public var low: UInt64

    @inlinable public init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }

    public static let zero = Identifier(high: 0, low: 0)

    public static func random() -> Identifier {
        var generator = SystemRandomNumberGenerator()
        return random(using: &generator)
    }

    public static func random(using generator: inout some RandomNumberGenerator) -> Identifier {
        Identifier(high: generator.next(), low: generator.next())
    }

    @inlinable public static func < (a: Identifier, b: Identifier) -> Bool {
        (a.high, a.low) < (b.high, b.low)
    }

    /// The first 8 hex digits: what listings show.
    public var short: String { String(text.prefix(8)) }

    /// All 32 hex digits.
    public var text: String { hex(high) + hex(low) }

    /// Reads 32 hex digits; nil for anything else.
    public init?(text: some StringProtocol) {
        guard text.utf8.count == 32, text.utf8.allSatisfy({ $0 != UInt8(ascii: "+") && $0 != UInt8(ascii: "-") }),
            let high = UInt64(text.prefix(16), radix: 16),
            let low = UInt64(text.suffix(16), radix: 16)
        else { return nil }
        self.init(high: high, low: low)
    }

    private func hex(_ value: UInt64) -> String {
        let digits = String(value, radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }
}

extension Identifier: CustomStringConvertible {
    public var description: String { short }
}

extension Identifier: Codable {
    public init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        let text = try container.decode(String.self)
        guard let value = Identifier(text: text) else {
            throw DecodingError.dataCorruptedError(
                in: container, debugDescription: "an identifier is 32 hex digits, not '\(text)'")
        }
        self = value
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(text)
    }
}

public typealias ClusterID = Identifier
public typealias NodeID = Identifier
public typealias DriveID = Identifier
public typealias VolumeID = Identifier
public typealias ReplicaID = Identifier
/// One run of an owner: made anew each time a node opens a volume.
public typealias InstanceID = Identifier
/// One run of a `ciod` process.
public typealias IncarnationID = Identifier
/// One boot of a machine, as the kernel names it (/proc/sys/kernel/random/boot_id).
public typealias BootID = Identifier
