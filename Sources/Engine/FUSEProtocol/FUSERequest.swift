import CBlockDevices
import Glibc
import Units

/// A request that the volume must carry out before it is answered, checked against its size.
public struct FUSERequest: Sendable, Equatable {
    /// The kernel's mark, as received: bit 63 says that the request was sent again to a new
    /// process after an old one had read it. The reply repeats it all.
    public var unique: UInt64
    public var operation: FUSEOperation

    /// Whether an earlier process may have carried the request out already, or may still do so.
    public var isResent: Bool { unique & FUSE_UNIQUE_RESEND != 0 }
}

public enum FUSEOperation: Sendable, Equatable {
    /// Cut at the end of the disk; the length may be 0.
    case read(ByteRange)
    /// The payload stands `FUSELimits.payloadOffset` behind the request's first byte, until the
    /// reply is written: the buffer belongs to the request.
    case write(ByteRange)
    case flush
    case discard(ByteRange)
    case writeZeroes(ByteRange)
}

/// A request that can be answered at once, with what `FUSEReply.encode(_:diskBytes:into:)` writes.
public struct FUSEAnswer: Sendable, Equatable {
    public var unique: UInt64
    public var content: Content

    public enum Content: Sendable, Equatable {
        case agreement(FUSEAgreement)
        case attributes
        case opened
        case statistics
        case done
        /// A positive errno.
        case error(Int32)
    }
}

/// What to do about one request read from /dev/fuse.
public enum FUSEDecision: Sendable, Equatable {
    case perform(FUSERequest)
    case answer(FUSEAnswer)
    /// The kernel expects no reply.
    case ignore
    /// Not what the kernel writes: the connection cannot be trusted any more.
    case violation(FUSEViolation)
}

public enum FUSEViolation: Sendable, Equatable {
    case truncated(bytes: Int)
    case lengthMismatch(header: UInt32, bytes: Int)
    case bodyTooShort(opcode: UInt32, bytes: Int)
    case payloadMismatch(announced: UInt32, bytes: Int)
}

extension FUSERequest {
    /// Looks at one whole request.
    ///
    /// - Parameters:
    ///   - bytes: exactly what one read of /dev/fuse returned, at any alignment.
    ///   - diskBytes: the volume's size now.
    public static func parse(_ bytes: UnsafeRawBufferPointer, diskBytes: UInt64) -> FUSEDecision {
        guard let header = unsafe bytes.field(fuse_in_header.self, at: 0) else {
            return .violation(.truncated(bytes: bytes.count))
        }
        guard Int(header.len) == bytes.count else {
            return .violation(.lengthMismatch(header: header.len, bytes: bytes.count))
        }
        let body = unsafe RequestBody(header: header, bytes: bytes, diskBytes: diskBytes)
        switch fuse_opcode(header.opcode) {
        case FUSE_READ: return body.read()
        case FUSE_WRITE: return body.write()
        case FUSE_FSYNC: return body.with(fuse_fsync_in.self) { _ in .perform(.flush) }
        case FUSE_FALLOCATE: return body.allocate()
        case FUSE_INIT: return body.initialize()
        case FUSE_GETATTR: return body.with(fuse_getattr_in.self) { _ in .answer(.attributes) }
        case FUSE_SETATTR: return body.setAttributes()
        case FUSE_OPEN: return body.with(fuse_open_in.self) { _ in .answer(.opened) }
        case FUSE_STATFS: return body.answer(.statistics)
        // Closing a descriptor makes nothing durable; FSYNC does.
        case FUSE_FLUSH: return body.with(fuse_flush_in.self) { _ in .answer(.done) }
        case FUSE_RELEASE: return body.with(fuse_release_in.self) { _ in .answer(.done) }
        case FUSE_DESTROY: return body.answer(.done)
        case FUSE_FORGET, FUSE_BATCH_FORGET: return .ignore
        // ENOSYS once, and the kernel never asks again. For FUSE_INTERRUPT as well: requests
        // run to their end.
        default: return body.answer(.error(ENOSYS))
        }
    }
}

extension UnsafeRawBufferPointer {
    /// A C structure at any alignment; nil where the bytes end before it does.
    @inline(__always)
    func field<Field: BitwiseCopyable>(_ type: Field.Type, at offset: Int) -> Field? {
        guard count >= offset + MemoryLayout<Field>.size else { return nil }
        return unsafe loadUnaligned(fromByteOffset: offset, as: type)
    }
}
