import Glibc
import Units

/// A buffer of a `BufferPool`: a reference that is counted by hand.
@safe public struct Buffer {
    /// 4096-aligned. The pool's headroom lies before it.
    public let bytes: UnsafeMutableRawPointer
    /// What operations of the pool's ring on this memory name.
    public let area: RegisteredArea
    /// Which buffer of its class.
    let index: UInt32
    public let sizeClass: BufferPool.SizeClass

    public var capacity: Int { sizeClass.bytes }
}

/// The aligned memory of one engine loop, in three sizes; used on the loop's thread only.
///
/// All of it is mapped at the start, up to the stated limits, and costs memory only where it was
/// touched. The first buffers of each class are registered with the ring, hence always resident,
/// and are given out first; the others come into use in bursts, and `trim` gives their memory back.
/// (With `mlockall`, MCL_ONFAULT keeps that true.) Acquiring and releasing neither allocate nor
/// enter the kernel. `acquire` answers nil at the limit: the caller waits for a release.
///
/// A buffer is acquired with one reference. Whoever hands it to several peers retains it for each;
/// the last release gives it back. No operation may be in flight on memory that was given back.
@safe public struct BufferPool: ~Copyable {
    public enum SizeClass: UInt8, CaseIterable, Sendable {
        case small, medium, large

        /// 4 KiB, 64 KiB, 1 MiB.
        @inlinable public var bytes: Int { 4096 << (4 * Int(rawValue)) }

        /// The smallest class that holds `count` bytes; nil above 1 MiB.
        @inlinable public init?(holding count: Int) {
            switch count {
            case ...4096: self = .small
            case ...65536: self = .medium
            case ...1_048_576: self = .large
            default: return nil
            }
        }
    }

    /// How many buffers of a class there may be.
    public struct Shape: Sendable {
        public var limit: Int
        /// How many of them are registered, and therefore always resident.
        public var registered: Int
        /// Bytes before each buffer that belong to it, a multiple of 4096: the header of a request
        /// is read to the end of it, so that the payload lies aligned.
        public var headroomBytes: Int

        public init(limit: Int, registered: Int, headroomBytes: Int = 0) {
            self.limit = limit
            self.registered = registered
            self.headroomBytes = headroomBytes
        }
    }

    private var small: BufferArena
    private var medium: BufferArena
    private var large: BufferArena

    /// - Parameter ring: registers the memory; it must end before the pool does.
    public init(small: Shape, medium: Shape, large: Shape, ring: inout Ring) throws(RingError) {
        let first = try BufferArena(.small, small, ring: &ring)
        let second = try BufferArena(.medium, medium, ring: &ring)
        let third = try BufferArena(.large, large, ring: &ring)
        self.small = first
        self.medium = second
        self.large = third
    }

    /// A buffer with one reference; nil when all of its class are in use. Its bytes are undefined.
    public mutating func acquire(_ sizeClass: SizeClass) -> Buffer? {
        switch sizeClass {
        case .small: small.acquire()
        case .medium: medium.acquire()
        case .large: large.acquire()
        }
    }

    public mutating func retain(_ buffer: Buffer) {
        switch buffer.sizeClass {
        case .small: small.retain(buffer.index)
        case .medium: medium.retain(buffer.index)
        case .large: large.retain(buffer.index)
        }
    }

    public mutating func release(_ buffer: Buffer) {
        switch buffer.sizeClass {
        case .small: small.release(buffer.index)
        case .medium: medium.release(buffer.index)
        case .large: large.release(buffer.index)
        }
    }

    /// Buffers of a class that can be acquired now.
    public func available(_ sizeClass: SizeClass) -> Int {
        switch sizeClass {
        case .small: small.available
        case .medium: medium.available
        case .large: large.available
        }
    }

    /// Gives the memory of unused buffers beyond the registered ones back to the system; their
    /// number. For idle moments: one system call for each.
    public mutating func trim() -> Int { small.trim() + medium.trim() + large.trim() }
}
