import CBlockDevices

/// The sizes of one FUSE disk, agreed on with the kernel in INIT.
public enum FUSELimits {
    /// The longest read or write: 256 pages, the most that kernels allow by default.
    public static let payloadBytesMax = 1 << 20
    public static let payloadPagesMax = payloadBytesMax / 4096
    /// Where a write's payload starts in the request. A buffer that begins this much before a
    /// page boundary has its payload aligned for direct I/O.
    public static let payloadOffset =
        MemoryLayout<fuse_in_header>.size + MemoryLayout<fuse_write_in>.size
    /// What one read of /dev/fuse must offer, or the kernel refuses it.
    public static let requestBytesMax = payloadOffset + payloadBytesMax
    /// Requests that the kernel lets wait in the background: 12 by default, which caps the
    /// queue depth of the loop device.
    public static let backgroundRequestsMax: UInt16 = 256
    /// Background requests from which on the kernel calls the disk congested: three quarters.
    public static let congestionThreshold: UInt16 = 192
    /// Every reply but a read's data fits.
    public static let replyBytesMax = MemoryLayout<fuse_out_header>.size + 104
}
