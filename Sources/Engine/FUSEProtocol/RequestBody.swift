import CBlockDevices
import Glibc
import Units

/// A request whose header is sound, and whose body is looked at field by field, each within
/// `bytes`.
@safe struct RequestBody {
    var header: fuse_in_header
    var bytes: UnsafeRawBufferPointer
    var diskBytes: UInt64

    static let headerBytes = MemoryLayout<fuse_in_header>.size

    /// What a body leads to, before the request's mark is put on it.
    enum Outcome {
        case perform(FUSEOperation)
        case answer(FUSEAnswer.Content)
        case violation(FUSEViolation)
    }

    func answer(_ content: FUSEAnswer.Content) -> FUSEDecision {
        .answer(FUSEAnswer(unique: header.unique, content: content))
    }

    /// Reads the body's fixed part; a violation where it is too short.
    @inline(__always)
    func with<Body: BitwiseCopyable>(
        _ type: Body.Type, _ decide: (Body) -> Outcome
    ) -> FUSEDecision {
        guard let body = unsafe bytes.field(type, at: Self.headerBytes) else {
            return unsafe .violation(.bodyTooShort(opcode: header.opcode, bytes: bytes.count))
        }
        switch decide(body) {
        case .perform(let operation):
            return .perform(FUSERequest(unique: header.unique, operation: operation))
        case .answer(let content): return answer(content)
        case .violation(let violation): return .violation(violation)
        }
    }

    func read() -> FUSEDecision {
        with(fuse_read_in.self) { body in
            guard body.size <= FUSELimits.payloadBytesMax else { return .answer(.error(EINVAL)) }
            guard isAligned(body.offset, UInt64(body.size)) else { return .answer(.error(EINVAL)) }
            let start = min(body.offset, diskBytes)
            let length = min(UInt64(body.size), diskBytes - start)
            return .perform(.read(ByteRange(offset: start, length: length)))
        }
    }

    func write() -> FUSEDecision {
        with(fuse_write_in.self) { body in
            let payloadBytes = unsafe bytes.count - FUSELimits.payloadOffset
            guard Int(body.size) == payloadBytes, payloadBytes <= FUSELimits.payloadBytesMax
            else {
                return .violation(.payloadMismatch(announced: body.size, bytes: payloadBytes))
            }
            return change(body.offset, UInt64(body.size)) { .write($0) }
        }
    }

    /// The loop device sends a discard, and a write-zeroes that may free the space, as the
    /// first mode, and any other write-zeroes as the second. Both read back as zeros.
    func allocate() -> FUSEDecision {
        with(fuse_fallocate_in.self) { body in
            switch Int32(bitPattern: body.mode) {
            case FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE:
                change(body.offset, body.length) { .discard($0) }
            case FALLOC_FL_ZERO_RANGE | FALLOC_FL_KEEP_SIZE:
                change(body.offset, body.length) { .writeZeroes($0) }
            // ENOSYS would switch off the other modes too.
            default: .answer(.error(EOPNOTSUPP))
            }
        }
    }

    /// Sizes change through the volume, never through its file.
    func setAttributes() -> FUSEDecision {
        with(fuse_setattr_in.self) { body in
            let setsSize = body.valid & UInt32(FATTR_SIZE) != 0
            return .answer(setsSize && body.size != diskBytes ? .error(EPERM) : .attributes)
        }
    }

    func initialize() -> FUSEDecision {
        guard let offer = unsafe FUSEOffer(bytes, at: Self.headerBytes) else {
            return unsafe .violation(.bodyTooShort(opcode: header.opcode, bytes: bytes.count))
        }
        guard let agreement = FUSEAgreement(offer) else { return answer(.error(EPROTO)) }
        return answer(.agreement(agreement))
    }

    private func change(
        _ offset: UInt64, _ length: UInt64, _ make: (ByteRange) -> FUSEOperation
    ) -> Outcome {
        guard isAligned(offset, length), length > 0 else { return .answer(.error(EINVAL)) }
        guard offset <= diskBytes, length <= diskBytes - offset else {
            return .answer(.error(ENOSPC))
        }
        return .perform(make(ByteRange(offset: offset, length: length)))
    }

    private func isAligned(_ offset: UInt64, _ length: UInt64) -> Bool {
        (offset | length) & (Geometry.sectorBytes - 1) == 0
    }
}
