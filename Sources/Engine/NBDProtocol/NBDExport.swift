/// What a client is told about a volume before it uses it.
public struct NBDExport: Sendable, Equatable {
    /// The volume's own name, which a client may have reached by another one.
    public var name: String
    /// A line for people; empty for none.
    public var description: String
    public var sizeBytes: UInt64

    public init(name: String, description: String, sizeBytes: UInt64) {
        self.name = name
        self.description = description
        self.sizeBytes = sizeBytes
    }
}

/// An entry of the export list.
public struct NBDListing: Sendable, Equatable {
    public var name: String
    public var description: String

    public init(name: String, description: String) {
        self.name = name
        self.description = description
    }
}

/// Why a client does not get the export it asked for.
public enum NBDExportRefusal: Sendable, Equatable {
    /// There is no such volume.
    case unknown
    /// It exists, but not for this client now: attached at another node, or open already.
    case policy
    /// This server is going down.
    case shuttingDown
}

/// What the handshake agreed on.
public struct NBDSession: Sendable, Equatable {
    public var export: NBDExport
    public var structuredReplies: Bool
}

/// The features that every export has (the transmission flags of the specification).
enum TransmissionFlags {
    static let hasFlags: UInt16 = 1 << 0
    static let sendFlush: UInt16 = 1 << 2
    static let sendForceUnitAccess: UInt16 = 1 << 3
    static let sendTrim: UInt16 = 1 << 5
    static let sendWriteZeroes: UInt16 = 1 << 6
    static let sendDoNotFragment: UInt16 = 1 << 7
    /// A flush on one connection covers what was answered on all of them.
    static let canMultiConnection: UInt16 = 1 << 8

    static func offered(structuredReplies: Bool) -> UInt16 {
        hasFlags | sendFlush | sendForceUnitAccess | sendTrim | sendWriteZeroes
            | canMultiConnection | (structuredReplies ? sendDoNotFragment : 0)
    }
}
