import CBlockDevices
import Glibc

/// Replies for /dev/fuse, written into memory that the caller owns; each is sent with one
/// write. Nothing here allocates.
///
/// A write that fails with ENOENT is no error: the kernel no longer waits for that reply.
public enum FUSEReply {
    public static let headerBytes = MemoryLayout<fuse_out_header>.size

    /// The header before a read's data, which follows in the same write. Returns its size.
    public static func encodeReadHeader(
        unique: UInt64, dataBytes: Int, into buffer: UnsafeMutableRawPointer
    ) -> Int {
        unsafe encodeHeader(unique, 0, payloadBytes: dataBytes, into: buffer)
        return headerBytes
    }

    /// The reply to a write that was carried out. Returns its size.
    public static func encodeWritten(
        unique: UInt64, dataBytes: Int, into buffer: UnsafeMutableRawPointer
    ) -> Int {
        var body = fuse_write_out()
        body.size = UInt32(dataBytes)
        return unsafe encode(unique, body, into: buffer)
    }

    /// The reply to a flush, discard or write-zeroes that was carried out. Returns its size.
    public static func encodeDone(unique: UInt64, into buffer: UnsafeMutableRawPointer) -> Int {
        unsafe encodeHeader(unique, 0, payloadBytes: 0, into: buffer)
        return headerBytes
    }

    /// The reply to any request that failed with a positive errno. Returns its size.
    public static func encodeError(
        unique: UInt64, _ errno: Int32, into buffer: UnsafeMutableRawPointer
    ) -> Int {
        unsafe encodeHeader(unique, -errno, payloadBytes: 0, into: buffer)
        return headerBytes
    }

    /// Asks the kernel to send every request again that was read and not answered
    /// (FUSE_NOTIFY_RESEND); only where `FUSEAgreement.canResend`. Returns its size.
    public static func encodeResendNotification(into buffer: UnsafeMutableRawPointer) -> Int {
        unsafe encodeHeader(0, cio_fuse_notify_resend, payloadBytes: 0, into: buffer)
        return headerBytes
    }

    /// Writes an answer that needs no volume; at most `FUSELimits.replyBytesMax` bytes. Returns
    /// their number.
    public static func encode(
        _ answer: FUSEAnswer, diskBytes: UInt64, into buffer: UnsafeMutableRawPointer
    ) -> Int {
        switch answer.content {
        case .agreement(let agreement):
            unsafe encode(answer.unique, initBody(agreement), into: buffer)
        case .attributes: unsafe encode(answer.unique, attributes(diskBytes), into: buffer)
        case .opened: unsafe encode(answer.unique, fuse_open_out(), into: buffer)
        case .statistics: unsafe encode(answer.unique, statistics(diskBytes), into: buffer)
        case .done: unsafe encodeDone(unique: answer.unique, into: buffer)
        case .error(let errno): unsafe encodeError(unique: answer.unique, errno, into: buffer)
        }
    }

    private static func initBody(_ agreement: FUSEAgreement) -> fuse_init_out {
        var body = fuse_init_out()
        body.major = UInt32(FUSE_KERNEL_VERSION)
        body.minor = agreement.minor
        body.max_readahead = agreement.readAheadBytes
        body.flags = UInt32(truncatingIfNeeded: agreement.flags)
        body.flags2 = UInt32(agreement.flags >> 32)
        body.max_background = FUSELimits.backgroundRequestsMax
        body.congestion_threshold = FUSELimits.congestionThreshold
        body.max_write = UInt32(FUSELimits.payloadBytesMax)
        body.max_pages = UInt16(FUSELimits.payloadPagesMax)
        body.time_gran = 1
        return body
    }

    /// The disk's attributes, valid for 0 s: a new size is seen at the next look.
    private static func attributes(_ diskBytes: UInt64) -> fuse_attr_out {
        var body = fuse_attr_out()
        body.attr.ino = UInt64(FUSE_ROOT_ID)
        body.attr.mode = UInt32(Glibc.S_IFREG | 0o600)
        body.attr.nlink = 1
        body.attr.size = diskBytes
        body.attr.blocks = diskBytes / 512
        body.attr.blksize = 4096
        return body
    }

    private static func statistics(_ diskBytes: UInt64) -> fuse_statfs_out {
        var body = fuse_statfs_out()
        body.st.bsize = 4096
        body.st.frsize = 4096
        body.st.blocks = diskBytes / 4096
        body.st.files = 1
        body.st.namelen = 255
        return body
    }

    private static func encode<Body: BitwiseCopyable>(
        _ unique: UInt64, _ body: Body, into buffer: UnsafeMutableRawPointer
    ) -> Int {
        unsafe encodeHeader(unique, 0, payloadBytes: MemoryLayout<Body>.size, into: buffer)
        unsafe buffer.storeBytes(of: body, toByteOffset: headerBytes, as: Body.self)
        return headerBytes + MemoryLayout<Body>.size
    }

    private static func encodeHeader(
        _ unique: UInt64, _ error: Int32, payloadBytes: Int, into buffer: UnsafeMutableRawPointer
    ) {
        var header = fuse_out_header()
        header.len = UInt32(headerBytes + payloadBytes)
        header.error = error
        header.unique = unique
        unsafe buffer.storeBytes(of: header, as: fuse_out_header.self)
    }
}
