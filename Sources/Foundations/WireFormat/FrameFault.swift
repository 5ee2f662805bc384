/// Why a frame was not accepted. The connection is closed: where the next frame would begin is
/// not known, or its sender cannot be trusted to know what it does.
public enum FrameFault: Error, Equatable, Sendable {
    case badMagic(UInt32)
    case badHeaderChecksum(UInt32, computed: UInt32)
    case wrongVersion(UInt16, agreed: UInt16)
    case unknownKind(UInt8)
    /// A kind that does not belong here: a request to an owner, a second hello.
    case unexpectedKind(FrameKind)
    case unknownFlags(FrameKind, UInt8)
    case unknownStatus(UInt8)
    case wrongVolume
    /// Zero where a request needs one, or above 48 bits.
    case badEpoch(UInt64)
    case badGeneration(UInt64)
    case badStamp
    case badOffset(FrameKind, UInt64)
    case badLength(FrameKind, UInt32)
    /// Ends beyond the volume, or leaves its region.
    case badRange(FrameKind, offset: UInt64, length: UInt32)
    /// A field that this kind does not use is not zero.
    case fieldNotZero(FrameKind)
    case badBodyChecksum(FrameKind)
    /// A hello: min above max, a volume without a replica, a text that is too long.
    case badHello
    /// A list's entries are not in rising order above the region asked for, or beyond the volume.
    case badEntry(index: Int)
}

extension FrameFault: CustomStringConvertible {
    public var description: String {
        switch self {
        case .badMagic(let magic): "not a frame: it begins with 0x\(String(magic, radix: 16))"
        case .badHeaderChecksum(let stored, let computed):
            "the header's checksum is 0x\(String(stored, radix: 16)), not 0x\(String(computed, radix: 16))"
        case .wrongVersion(let version, let agreed):
            "version \(version), where \(agreed) was agreed"
        case .unknownKind(let kind): "unknown kind \(kind)"
        case .unexpectedKind(let kind): "a \(kind) is not expected here"
        case .unknownFlags(let kind, let flags): "flags 0x\(String(flags, radix: 16)) on a \(kind)"
        case .unknownStatus(let status): "unknown status \(status)"
        case .wrongVolume: "a frame of another volume"
        case .badEpoch(let epoch): "epoch \(epoch)"
        case .badGeneration(let generation): "generation \(generation)"
        case .badStamp: "a stamp above 48 bits"
        case .badOffset(let kind, let offset): "offset \(offset) of a \(kind)"
        case .badLength(let kind, let length): "length \(length) of a \(kind)"
        case .badRange(let kind, let offset, let length):
            "the range \(offset)+\(length) of a \(kind) leaves its region or the volume"
        case .fieldNotZero(let kind): "a field that a \(kind) does not use is not zero"
        case .badBodyChecksum(let kind): "the checksum of a \(kind)'s body does not match"
        case .badHello: "a hello that contradicts itself"
        case .badEntry(let index): "entry \(index) of a list is out of order or out of range"
        }
    }
}

extension FrameKind: CustomStringConvertible {
    public var description: String {
        switch self {
        case .hello: "hello"
        case .helloReply: "hello reply"
        case .heartbeat: "heartbeat"
        case .request(let kind): "\(kind) request"
        case .reply(let kind): "\(kind) reply"
        }
    }
}
