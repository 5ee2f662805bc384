import CBlockDevices

/// What the kernel offers in FUSE_INIT.
struct FUSEOffer {
    var major: UInt32
    var minor: UInt32
    var readAheadBytes: UInt32
    var flags: UInt64

    init?(_ bytes: UnsafeRawBufferPointer, at offset: Int) {
        guard let major = unsafe bytes.field(UInt32.self, at: offset),
            let minor = unsafe bytes.field(UInt32.self, at: offset + 4),
            let readAhead = unsafe bytes.field(UInt32.self, at: offset + 8),
            let low = unsafe bytes.field(UInt32.self, at: offset + 12)
        else { return nil }
        self.major = major
        self.minor = minor
        readAheadBytes = readAhead
        flags = UInt64(low)
        if flags & UInt64(FUSE_INIT_EXT) != 0 {
            guard let high = unsafe bytes.field(UInt32.self, at: offset + 16) else { return nil }
            flags |= UInt64(high) << 32
        }
    }
}

/// What the kernel and the disk agree on.
public struct FUSEAgreement: Sendable, Equatable {
    /// The kernel's own: this side uses nothing whose layout changed since `minorMin`.
    var minor: UInt32
    var readAheadBytes: UInt32
    var flags: UInt64

    /// Linux 5.17: INIT has the second half of the flags from here on; cio's floor is 6.1.
    static let minorMin: UInt32 = 36

    /// Without these a disk cannot work as it should; every kernel since 5.17 has them.
    static let neededFlags =
        UInt64(FUSE_ASYNC_READ) | UInt64(FUSE_ASYNC_DIO) | UInt64(FUSE_BIG_WRITES)
        | UInt64(FUSE_MAX_PAGES) | UInt64(FUSE_INIT_EXT)

    /// nil where the kernel lacks what a disk needs.
    init?(_ offer: FUSEOffer) {
        guard offer.major == FUSE_KERNEL_VERSION, offer.minor >= Self.minorMin,
            offer.flags & Self.neededFlags == Self.neededFlags
        else { return nil }
        minor = offer.minor
        readAheadBytes = offer.readAheadBytes
        flags = offer.flags & (Self.neededFlags | FUSE_HAS_RESEND)
    }

    /// Whether a new process can have unanswered requests sent again (Linux 6.9).
    public var canResend: Bool { flags & FUSE_HAS_RESEND != 0 }
}
