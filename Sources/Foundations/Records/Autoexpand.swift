/// Whether a volume grows by itself when its filesystem fills up.
public struct Autoexpand: Codable, Equatable, Hashable, Sendable {
    public var isEnabled: Bool
    /// Percent of the filesystem in use from which on it grows.
    public var threshold: UInt64
    /// By how many percent of its size, in whole GB.
    public var increment: UInt64
    /// How often at most.
    public var limit: UInt64
    /// How often it did.
    public var count: UInt64

    public init(
        isEnabled: Bool, threshold: UInt64 = 80, increment: UInt64 = 20, limit: UInt64 = 3,
        count: UInt64 = 0
    ) {
        self.isEnabled = isEnabled
        self.threshold = threshold
        self.increment = increment
        self.limit = limit
        self.count = count
    }

    public static let off = Autoexpand(isEnabled: false)

    /// The next size of a volume of so many GB whose filesystem is that full; nil where it stays.
    public func next(gigabytes: UInt64, usedPercent: UInt64) -> UInt64? {
        guard isEnabled, count < limit, usedPercent >= threshold else { return nil }
        let more = max(1, (gigabytes * increment + 99) / 100)
        return gigabytes + more
    }
}
