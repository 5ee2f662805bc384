import FUSEProtocol
import Glibc
import Units

/// A volume's FUSE disk: the descriptor that serves it, and the buffers of its requests.
///
/// A buffer belongs to its request from the read of /dev/fuse on until nobody uses it any more:
/// the answer is sent, and so is everything that went from it to other nodes. The data of a write
/// is received where it lies in the end, and that of a read answered from there.
///
///     | headroom: the request's header | payload: up to 1 MiB | room for a read's partial block |
///                               aligned ▲
struct Disk: ~Copyable {
    let descriptor: Int32
    let volume: Int
    private let mapping: UnsafeMutableRawPointer
    private let free: UnsafeMutablePointer<Int32>
    private(set) var freeCount = EngineLimits.requestsPerDiskMax
    /// Requests that wait for more memory.
    var parked = WorkList()

    var isPolling = false
    /// Its buffers were all in use: reading goes on when one is free.
    var isFull = false
    var isClosing = false
    var isClosingDescriptor = false
    var isDescriptorClosed = false
    /// Writes that were answered may be lost, and nobody has heard of it (rule 20).
    var failsNextFlush = false

    private static let headroomBytes = 4096
    private static let strideBytes = headroomBytes + FUSELimits.payloadBytesMax + 4096
    private static let mappingBytes = strideBytes * EngineLimits.requestsPerDiskMax

    /// Nil where the machine has no addresses left. Memory is used as far as requests reach.
    init?(descriptor: Int32, volume: Int) {
        let flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE
        let start = mmap(nil, Self.mappingBytes, PROT_READ | PROT_WRITE, flags, -1, 0)
        guard let start, start != MAP_FAILED else { return nil }
        self.descriptor = descriptor
        self.volume = volume
        mapping = start
        let count = EngineLimits.requestsPerDiskMax
        free = .allocate(capacity: count)
        for place in 0..<count { (free + place).initialize(to: Int32(count - 1 - place)) }
    }

    deinit {
        // The engine ends as in a crash; a close that is under way comes to its end all the same.
        if !isDescriptorClosed && !isClosingDescriptor { close(descriptor) }
        munmap(mapping, Self.mappingBytes)
        free.deallocate()
    }

    /// Whether every request's buffer is free.
    var isQuiet: Bool { freeCount == EngineLimits.requestsPerDiskMax }

    mutating func takeBuffer() -> Int? {
        if freeCount == 0 { return nil }
        freeCount -= 1
        return Int(free[freeCount])
    }

    mutating func giveBack(_ buffer: Int) {
        free[freeCount] = Int32(buffer)
        freeCount += 1
    }

    /// Where a request is read to, so that its payload is aligned.
    func request(_ buffer: Int) -> UnsafeMutableRawPointer {
        payload(buffer) - FUSELimits.payloadOffset
    }

    func payload(_ buffer: Int) -> UnsafeMutableRawPointer {
        mapping + buffer * Self.strideBytes + Self.headroomBytes
    }

    /// Gives memory that a burst of requests has used back to the system. Only when quiet.
    func trim() { madvise(mapping, Self.mappingBytes, MADV_DONTNEED) }
}
