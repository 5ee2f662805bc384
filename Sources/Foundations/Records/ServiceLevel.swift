/// How much of the drives and the network a volume's clients may use, and how much they count on.
public struct ServiceLevel: Codable, Equatable, Hashable, Sendable {
    /// Reads and writes a second that are expected of it: counted in the cluster's provisioned
    /// IOPS, enforced by nobody. Nil for none.
    public var iopsMin: UInt64?
    /// Reads and writes a second, at most; the owner's engine holds back what is more.
    public var iopsMax: UInt64?
    /// MiB a second, read and written together: expected, and at most.
    public var bandwidthMin: UInt64?
    public var bandwidthMax: UInt64?

    public init(
        iopsMin: UInt64? = nil, iopsMax: UInt64? = nil, bandwidthMin: UInt64? = nil,
        bandwidthMax: UInt64? = nil
    ) {
        self.iopsMin = iopsMin
        self.iopsMax = iopsMax
        self.bandwidthMin = bandwidthMin
        self.bandwidthMax = bandwidthMax
    }

    /// 0 says what nil says: no limit.
    public var withoutZeros: ServiceLevel {
        func limit(_ value: UInt64?) -> UInt64? { value == 0 ? nil : value }
        return ServiceLevel(
            iopsMin: limit(iopsMin), iopsMax: limit(iopsMax), bandwidthMin: limit(bandwidthMin),
            bandwidthMax: limit(bandwidthMax))
    }

    public static let unlimited = ServiceLevel()

    /// Far above what a machine can do, and far below what overflows when it is counted in
    /// nanoseconds and bytes.
    public static let most: UInt64 = 10_000_000
}
