import Ring
import Units

/// Memory that a request, replicas and sends share: known by a number, counted by hand.
struct MemoryID: Equatable {
    var index: Int32

    static let none = MemoryID(index: -1)
    var isNone: Bool { index < 0 }
}

/// Who takes memory. Each has a share of its own, so that none waits for another.
enum MemoryUse: UInt8 {
    case client, replica, copy, metadata

    static let count = 4

    var sharePercent: Int {
        switch self {
        case .client: EngineLimits.clientSharePercent
        case .replica: EngineLimits.replicaSharePercent
        case .copy: EngineLimits.copySharePercent
        case .metadata: EngineLimits.metadataSharePercent
        }
    }
}

/// The memory of one loop: buffers of its pool, and the request buffers of its FUSE disks.
struct Memory: ~Copyable {
    private struct Entry {
        var bytes: UnsafeMutableRawPointer
        var area: RegisteredArea
        var references: Int32
        /// Index in the pool, and its class; or the disk's request.
        var buffer: Buffer?
        var use: MemoryUse
        var disk: Int32
        var request: Int32
    }

    /// A FUSE disk's request whose memory nobody uses any more.
    struct FreedRequest {
        var disk: Int32
        var request: Int32
    }

    private var pool: BufferPool
    private var entries = Slab<Entry>(capacity: 1024)
    /// Buffers taken, by use and class.
    private let taken: UnsafeMutablePointer<Int>
    private let limits: UnsafeMutablePointer<Int>
    private var freedRequests = WorkList()
    /// Something was given back since this was last set to false.
    var wasFreed = false

    private static let classes = 3

    init(ring: inout Ring) throws(RingError) {
        let shapes = [
            EngineLimits.smallBuffers, EngineLimits.mediumBuffers, EngineLimits.largeBuffers,
        ]
        pool = try BufferPool(small: shapes[0], medium: shapes[1], large: shapes[2], ring: &ring)
        taken = .allocate(capacity: MemoryUse.count * Self.classes)
        taken.initialize(repeating: 0, count: MemoryUse.count * Self.classes)
        limits = .allocate(capacity: MemoryUse.count * Self.classes)
        for use in [MemoryUse.client, .replica, .copy, .metadata] {
            for index in 0..<Self.classes {
                (limits + Int(use.rawValue) * Self.classes + index)
                    .initialize(to: shapes[index].limit * use.sharePercent / 100)
            }
        }
    }

    deinit {
        taken.deallocate()
        limits.deallocate()
    }

    /// Memory for so many bytes, at most 1 MiB, with one reference; `.none` when the use has its
    /// share already. Aligned to 4,096 bytes; its content is undefined.
    mutating func acquire(_ byteCount: Int, for use: MemoryUse) -> MemoryID {
        guard let sizeClass = BufferPool.SizeClass(holding: byteCount) else {
            trap("memory of \(byteCount) bytes")
        }
        let row = Int(use.rawValue) * Self.classes + Int(sizeClass.rawValue)
        guard taken[row] < limits[row], let buffer = pool.acquire(sizeClass) else { return .none }
        taken[row] += 1
        let index = entries.insert(
            Entry(
                bytes: buffer.bytes, area: buffer.area, references: 1, buffer: buffer, use: use,
                disk: -1, request: -1))
        return MemoryID(index: Int32(index))
    }

    /// A FUSE request's own memory as one of these, with one reference: `nextFreedRequest` names
    /// it when the last one has gone.
    mutating func adopt(_ bytes: UnsafeMutableRawPointer, disk: Int, request: Int) -> MemoryID {
        let index = entries.insert(
            Entry(
                bytes: bytes, area: .none, references: 1, buffer: nil, use: .client,
                disk: Int32(disk), request: Int32(request)))
        return MemoryID(index: Int32(index))
    }

    @inline(__always)
    func bytes(_ id: MemoryID) -> UnsafeMutableRawPointer { entries[Int(id.index)].bytes }

    @inline(__always)
    func area(_ id: MemoryID) -> RegisteredArea { entries[Int(id.index)].area }

    @inline(__always)
    mutating func retain(_ id: MemoryID) { entries[Int(id.index)].references += 1 }

    @inline(__always)
    mutating func release(_ id: MemoryID) {
        entries[Int(id.index)].references -= 1
        if entries[Int(id.index)].references == 0 { free(id) }
    }

    /// Releases what was acquired a moment ago, in vain: whoever waits need not look again.
    mutating func giveBackUnused(_ id: MemoryID) {
        let before = wasFreed
        release(id)
        wasFreed = before
    }

    private mutating func free(_ id: MemoryID) {
        let entry = entries[Int(id.index)]
        entries.remove(Int(id.index))
        wasFreed = true
        guard let buffer = entry.buffer else {
            freedRequests.append(Int(entry.disk) << 16 | Int(entry.request))
            return
        }
        taken[Int(entry.use.rawValue) * Self.classes + Int(buffer.sizeClass.rawValue)] -= 1
        pool.release(buffer)
    }

    mutating func nextFreedRequest() -> FreedRequest? {
        freedRequests.popFirst().map {
            FreedRequest(disk: Int32($0 >> 16), request: Int32($0 & 0xFFFF))
        }
    }

    /// Entries in use: none when all is quiet.
    var count: Int { entries.count }

    mutating func trim() { _ = pool.trim() }
}
