/// The sizes of a ring, with their arithmetic.
public enum RingLimits {
    /// Entries of the submission queue: what one turn may queue before it submits early.
    public static let submissionEntries: UInt32 = 1024
    /// Entries of the completion queue, four for each submission. More operations than this may be
    /// in flight: the kernel keeps what does not fit until there is room.
    public static let completionEntries: UInt32 = 4096
    /// File operations that the libaio backend has in flight at once; more wait for one to end.
    /// The machine's limit (fs.aio-max-nr) is 65536 by default, so that 16 loops fit four times.
    public static let aioOperations = 1024
    /// Events taken from epoll, and completions taken from AIO, in one call.
    public static let aioBatch = 256
    /// Commands that may wait for the libaio backend's helper thread, at 48 bytes each.
    public static let helperJobs = 256
    /// Memory areas that a ring can have registered: three buffer classes, and room to spare.
    public static let registeredAreas: UInt32 = 16
    /// The kernel registers no longer area (include/io_uring/rsrc.c: 1 GiB a buffer).
    public static let registeredAreaBytesMax = 1 << 30
}
