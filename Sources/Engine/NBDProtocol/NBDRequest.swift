import Units

/// A command that the volume is to carry out, checked against the export's limits.
public enum NBDCommand: Sendable, Equatable {
    case read
    case write
    case flush
    case trim
    case writeZeroes
}

/// One request of the transmission phase, valid in every field.
public struct NBDRequest: Sendable, Equatable {
    /// The wire size of a request's header; a write's payload follows it.
    public static let headerBytes = 28
    static let magic: UInt32 = 0x2560_9513

    public var command: NBDCommand
    /// The client's own mark, which the reply repeats.
    public var cookie: UInt64
    public var offsetBytes: UInt64
    /// At most `NBDLimits.payloadBytesMax` for read and write, up to 4 GiB for the others.
    public var lengthBytes: UInt32
    /// The reply waits until what the request wrote is durable.
    public var forcesUnitAccess: Bool
    /// write-zeroes: the range must stay allocated. Only advice here, as no volume of cio
    /// promises space for what it holds.
    public var keepsAllocation: Bool

    public init(
        command: NBDCommand, cookie: UInt64, offsetBytes: UInt64, lengthBytes: UInt32,
        forcesUnitAccess: Bool = false, keepsAllocation: Bool = false
    ) {
        self.command = command
        self.cookie = cookie
        self.offsetBytes = offsetBytes
        self.lengthBytes = lengthBytes
        self.forcesUnitAccess = forcesUnitAccess
        self.keepsAllocation = keepsAllocation
    }

    /// The bytes that follow the header on the wire.
    public var payloadBytes: UInt32 { command == .write ? lengthBytes : 0 }
}

/// A request that is answered with an error, and harms nothing.
public struct NBDRefusal: Sendable, Equatable {
    public var cookie: UInt64
    public var cause: NBDRefusalCause
    /// A write's payload: to be read and thrown away before the next header.
    public var skippedBytes: UInt32
}

public enum NBDRefusalCause: Sendable, Equatable {
    case unknownCommand
    case flagNotApplicable
    case emptyRange
    case unaligned
    case outOfRangeRead
    case outOfRangeWrite
    case flushWithRange
    case writeTooLong
    case readTooLong

    public var error: NBDError {
        switch self {
        case .outOfRangeWrite: .noSpace
        case .readTooLong: .overflow
        default: .invalid
        }
    }

    public var message: StaticString {
        switch self {
        case .unknownCommand: "unknown command"
        case .flagNotApplicable: "a flag that this command does not take"
        case .emptyRange: "a length of zero"
        case .unaligned: "offset and length are not multiples of 512"
        case .outOfRangeRead, .outOfRangeWrite: "the range ends beyond the volume"
        case .flushWithRange: "a flush takes neither offset nor length"
        case .writeTooLong: "the write is longer than 32 MiB"
        case .readTooLong: "the read is longer than 32 MiB"
        }
    }
}

/// What to do about the 28 bytes of a request's header.
public enum NBDDecision: Sendable, Equatable {
    case perform(NBDRequest)
    case refuse(NBDRefusal)
    /// NBD_CMD_DISC: finish what is in flight, answer it, close. There is no reply.
    case disconnect
    /// Not a request, or a payload beyond every limit: close without a reply.
    case violation(NBDViolation)
}

public enum NBDViolation: Sendable, Equatable {
    case badRequestMagic(UInt32)
    case oversizedPayload(UInt32)
}

extension NBDRequest {
    /// Looks at `headerBytes` bytes.
    ///
    /// - Parameters:
    ///   - header: at least 28 readable bytes, at any alignment.
    ///   - exportBytes: the volume's size now.
    ///   - structuredReplies: whether the client asked for them in the handshake.
    public static func parse(
        _ header: UnsafeRawPointer, exportBytes: UInt64, structuredReplies: Bool
    ) -> NBDDecision {
        let magic = unsafe header.loadBigEndian(0, as: UInt32.self)
        guard magic == Self.magic else { return .violation(.badRequestMagic(magic)) }
        let fields = unsafe WireFields(
            flags: header.loadBigEndian(4, as: UInt16.self),
            command: header.loadBigEndian(6, as: UInt16.self),
            cookie: header.loadBigEndian(8, as: UInt64.self),
            offset: header.loadBigEndian(16, as: UInt64.self),
            length: header.loadBigEndian(24, as: UInt32.self))
        if fields.command == WireCommand.disconnect { return .disconnect }
        if fields.command == WireCommand.write,
            fields.length > NBDLimits.skippedPayloadBytesMax
        {
            return .violation(.oversizedPayload(fields.length))
        }
        return fields.decision(exportBytes: exportBytes, structuredReplies: structuredReplies)
    }
}

enum WireCommand {
    static let read: UInt16 = 0
    static let write: UInt16 = 1
    static let disconnect: UInt16 = 2
    static let flush: UInt16 = 3
    static let trim: UInt16 = 4
    static let writeZeroes: UInt16 = 6
}

/// The command flags; FUA goes with every command (some clients set it everywhere).
enum WireCommandFlag {
    static let forceUnitAccess: UInt16 = 1 << 0
    static let noHole: UInt16 = 1 << 1
    static let doNotFragment: UInt16 = 1 << 2
}

/// A header's fields, in the machine's byte order, not yet believed.
private struct WireFields {
    var flags: UInt16
    var command: UInt16
    var cookie: UInt64
    var offset: UInt64
    var length: UInt32

    func decision(exportBytes: UInt64, structuredReplies: Bool) -> NBDDecision {
        let meaning: NBDCommand
        var allowedFlags = WireCommandFlag.forceUnitAccess
        switch command {
        case WireCommand.read:
            meaning = .read
            // A read is never answered in pieces, so "do not fragment" asks for nothing.
            if structuredReplies { allowedFlags |= WireCommandFlag.doNotFragment }
        case WireCommand.write: meaning = .write
        case WireCommand.flush: meaning = .flush
        case WireCommand.trim: meaning = .trim
        case WireCommand.writeZeroes:
            meaning = .writeZeroes
            allowedFlags |= WireCommandFlag.noHole
        default: return refuse(.unknownCommand)
        }
        if flags & ~allowedFlags != 0 { return refuse(.flagNotApplicable) }
        if let cause = rangeFault(meaning, exportBytes) { return refuse(cause) }
        return .perform(
            NBDRequest(
                command: meaning, cookie: cookie, offsetBytes: offset, lengthBytes: length,
                forcesUnitAccess: flags & WireCommandFlag.forceUnitAccess != 0,
                keepsAllocation: flags & WireCommandFlag.noHole != 0))
    }

    private func rangeFault(
        _ meaning: NBDCommand, _ exportBytes: UInt64
    ) -> NBDRefusalCause? {
        if meaning == .flush { return offset | UInt64(length) == 0 ? nil : .flushWithRange }
        if length == 0 { return .emptyRange }
        if (offset | UInt64(length)) & (Geometry.sectorBytes - 1) != 0 { return .unaligned }
        if offset > exportBytes || UInt64(length) > exportBytes - offset {
            let writes = meaning == .write || meaning == .writeZeroes
            return writes ? .outOfRangeWrite : .outOfRangeRead
        }
        if length > NBDLimits.payloadBytesMax {
            if meaning == .write { return .writeTooLong }
            if meaning == .read { return .readTooLong }
        }
        return nil
    }

    private func refuse(_ cause: NBDRefusalCause) -> NBDDecision {
        let skipped = command == WireCommand.write ? length : 0
        return .refuse(NBDRefusal(cookie: cookie, cause: cause, skippedBytes: skipped))
    }
}
