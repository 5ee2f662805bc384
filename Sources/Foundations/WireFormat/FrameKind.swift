/// What a frame is. The raw value stands on the wire.
public enum FrameKind: Hashable, Sendable, RawRepresentable {
    case hello
    case helloReply
    /// "I live": between nodes, without an answer.
    case heartbeat
    case request(RequestKind)
    case reply(RequestKind)

    /// Set in every frame that answers another.
    public static let replyBit: UInt8 = 0x80

    public init?(rawValue: UInt8) {
        switch rawValue {
        case 1: self = .hello
        case 1 | Self.replyBit: self = .helloReply
        case 2: self = .heartbeat
        default:
            guard let kind = RequestKind(rawValue: rawValue & ~Self.replyBit) else { return nil }
            self = rawValue & Self.replyBit == 0 ? .request(kind) : .reply(kind)
        }
    }

    public var rawValue: UInt8 {
        switch self {
        case .hello: 1
        case .helloReply: 1 | Self.replyBit
        case .heartbeat: 2
        case .request(let kind): kind.rawValue
        case .reply(let kind): kind.rawValue | Self.replyBit
        }
    }
}

/// Flags of a request. (A reply carries its status in the same byte.)
public struct FrameFlags: OptionSet, Hashable, Sendable {
    public var rawValue: UInt8
    public init(rawValue: UInt8) { self.rawValue = rawValue }

    /// The reply waits until what the request changed is durable.
    public static let forceUnitAccess = FrameFlags(rawValue: 1)
    /// A write that copies a region; for counting only.
    public static let copy = FrameFlags(rawValue: 2)
    public static let ofChanges = FrameFlags(rawValue: 3)
}
