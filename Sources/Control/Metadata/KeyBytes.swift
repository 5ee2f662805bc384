/// A key as its UTF-8 bytes, the only way in which stores compare keys.
///
/// `String` will not do: to it "é" as one scalar and as two are equal, and its order and its idea
/// of a prefix follow characters. Other processes, SQLite and etcd see bytes.
public struct KeyBytes: Hashable, Comparable, Sendable {
    public let bytes: [UInt8]

    public init(_ key: String) { bytes = Array(key.utf8) }

    private init(bytes: [UInt8]) { self.bytes = bytes }

    public static func < (a: KeyBytes, b: KeyBytes) -> Bool {
        a.bytes.lexicographicallyPrecedes(b.bytes)
    }

    public func hasPrefix(_ prefix: KeyBytes) -> Bool { bytes.starts(with: prefix.bytes) }

    /// The lowest key above all keys that begin with this prefix; nil when there is none, which is
    /// so for the empty prefix. (UTF-8 has no byte 0xFF, so that the last byte can always grow.)
    public var endOfPrefix: KeyBytes? {
        guard let last = bytes.last else { return nil }
        return KeyBytes(bytes: bytes.dropLast() + [last + 1])
    }
}
