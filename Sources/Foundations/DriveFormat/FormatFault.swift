/// Why something on a drive was not accepted. It is left as it is.
public enum FormatFault: Error, Equatable, Sendable {
    /// It does not begin as cio's does.
    case foreign
    case unsupportedVersion(UInt32)
    /// Features that this version of cio does not know, as bits.
    case unknownFeatures(UInt32)
    /// Neither slot of a state file is whole.
    case damagedState
    case damagedIdentity
    /// An entry of a region map whose checksum does not match, or that no write can have left.
    case damagedRegion(UInt64)
}

extension FormatFault: CustomStringConvertible {
    public var description: String {
        switch self {
        case .foreign: "not written by cio"
        case .unsupportedVersion(let version):
            "format version \(version), and this cio knows \(DriveFormat.version) only"
        case .unknownFeatures(let bits):
            "features 0x\(String(bits, radix: 16)), which this cio does not know"
        case .damagedState: "neither of its two slots is whole"
        case .damagedIdentity: "it is incomplete, or its checksum does not match"
        case .damagedRegion(let region): "the entry of region \(region) is damaged"
        }
    }
}

/// The one version of the format so far. What a later version changes, it announces by another
/// number, or by a feature bit where older versions could do harm; both are refused.
public enum DriveFormat {
    public static let version: UInt32 = 1
    public static let knownFeatures: UInt32 = 0

    static func check(version: UInt32, features: UInt32) throws(FormatFault) {
        guard version == Self.version else { throw .unsupportedVersion(version) }
        let unknown = features & ~knownFeatures
        guard unknown == 0 else { throw .unknownFeatures(unknown) }
    }
}
