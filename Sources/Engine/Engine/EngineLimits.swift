import Ring
import Units

/// The bounds of one engine loop, with their arithmetic.
public enum EngineLimits {
    /// Buffers of each size: memory is used up to 256 MiB of small ones, 256 MiB of medium ones
    /// and 1 GiB of large ones, if as many requests are under way; addresses cost nothing.
    static let smallBuffers = BufferPool.Shape(limit: 65_536, registered: 1024)
    static let mediumBuffers = BufferPool.Shape(limit: 4096, registered: 64)
    static let largeBuffers = BufferPool.Shape(limit: 1024, registered: 8)
    /// What each use may take of every size, in percent. Uses never wait for each other's share:
    /// two nodes that are each other's replicas would wait for ever.
    static let clientSharePercent = 40
    static let replicaSharePercent = 40
    static let copySharePercent = 10
    static let metadataSharePercent = 10

    /// Bytes read from a socket at a time: fifteen writes of 4 KiB, or three of 16 KiB.
    static let inputBytes = 64 << 10
    /// A payload with more missing than this is received where it belongs, without a copy.
    static let directReceiveBytesMin = 16 << 10
    /// Pieces of memory that one sendmsg names.
    static let sendPiecesMax = 256

    /// Answers that may wait for an NBD client that does not take them, before its requests are
    /// left in the socket: those of its requests under way, four times over.
    static let outputPiecesMax = 4096
    static let outputBytesMax = 256 << 10

    /// Requests of one NBD connection under way. More are left in the socket.
    static let requestsPerConnectionMax = 256
    /// Requests of one FUSE disk under way: as many as the kernel sends in the background, and as
    /// many again of those that processes wait for.
    static let requestsPerDiskMax = 512

    /// Commands and messages of other loops that may wait for a loop.
    static let mailboxMessagesMax = 4096
    /// Replicas and volumes of one loop: their numbers have 16 bits.
    static let hostsMax = 1 << 16
    /// Connections of one loop.
    static let connectionsMax = 1 << 16
    /// A replica without a connection closes its files after so many seconds.
    static let replicaIdleSeconds: UInt64 = 10
    /// Failures to open a replica that is still in use, before control hears of it: the last
    /// requests of a process that was killed may take a while. Owners try again every 100 ms.
    static let openTriesQuiet = 100
    /// A new connection has said its hello after so many seconds, or is closed.
    static let helloSeconds: UInt64 = 5
    /// Unused memory goes back to the system so long after a burst, when nothing is in use.
    static let trimAfter = Span.seconds(10)
    /// A stop waits this long for sessions to end cleanly; after it they end as in a crash.
    static let stopPatience = Span.seconds(10)
    /// Writes of checksums that one replica has under way, of up to 16 pages (64 KiB) each.
    static let pageWritesMax = 16
    static let checksumPagesPerWrite = 16
    /// Dirty pages of checksums from which on they are written before the next checkpoint asks for
    /// it: 8 MiB, which a drive takes within the time that a checkpoint may take.
    static let dirtyChecksumPagesMax = 2048
}
