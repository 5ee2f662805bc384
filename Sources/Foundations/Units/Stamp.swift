/// A volume's configuration number: it grows by one with every change of owner or of the
/// in-sync set.
public typealias Epoch = UInt64

/// A checkpoint counter inside an epoch, chosen by the owner; the first is 1.
public typealias Generation = UInt64

/// (epoch, generation), compared in that order; every write carries one. Zero means: never written.
public struct Stamp: Hashable, Comparable, Sendable, Codable {
    public var epoch: Epoch
    public var generation: Generation

    /// Both parts are kept in 48 bits on disk.
    public static let partMax: UInt64 = (1 << 48) - 1

    @inlinable public init(_ epoch: Epoch, _ generation: Generation) {
        self.epoch = epoch
        self.generation = generation
    }

    public static let zero = Stamp(0, 0)

    @inlinable public static func < (a: Stamp, b: Stamp) -> Bool {
        a.epoch != b.epoch ? a.epoch < b.epoch : a.generation < b.generation
    }
}

extension Stamp: CustomStringConvertible {
    public var description: String { "\(epoch).\(generation)" }
}
