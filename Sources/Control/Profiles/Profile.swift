/// A named set of volume attributes, as its file gives them. What it leaves out has the default
/// of the interface.
public struct Profile: Equatable, Sendable {
    public var capacityGB: UInt64?
    public var level: Int?
    public var filesystem: String?
    public var directory: String?
    public var provision: String?
    public var type: String?
    public var labels: [String: String]?
    /// Reads and writes a second, and MiB a second.
    public var iopsMin: UInt64?
    public var iopsMax: UInt64?
    public var bandwidthMin: UInt64?
    public var bandwidthMax: UInt64?
    public var autoexpand: Bool?
    /// Percent in use, percent of its capacity, times.
    public var autoexpandThreshold: UInt64?
    public var autoexpandIncrement: UInt64?
    public var autoexpandLimit: UInt64?

    public init() {}
}

/// Why a text is no profile: one line, which names the key and its line.
public struct ProfileFault: Error, Equatable, CustomStringConvertible {
    public var description: String
    public init(_ description: String) { self.description = description }
}
