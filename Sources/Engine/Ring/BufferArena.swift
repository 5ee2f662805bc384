import Glibc
import Units

/// The buffers of one size: one mapping, a reference count for each, and two stacks of free ones.
struct BufferArena: ~Copyable {
    private let sizeClass: BufferPool.SizeClass
    private let shape: BufferPool.Shape
    private let mapping: UnsafeMutableRawBufferPointer
    private let area: RegisteredArea
    private let references: UnsafeMutablePointer<UInt16>
    /// Whether an unregistered buffer's memory may be resident.
    private let touched: UnsafeMutablePointer<Bool>
    /// The free registered buffers lie in [0, registered), the others behind; each part is a stack.
    private let free: UnsafeMutablePointer<UInt32>
    private var freeRegistered: Int
    private var freeOthers: Int

    init(_ sizeClass: BufferPool.SizeClass, _ shape: BufferPool.Shape,
         ring: inout Ring) throws(RingError) {
        require(shape.registered <= shape.limit && shape.headroomBytes % 4096 == 0, "\(shape)")
        let stride = sizeClass.bytes + shape.headroomBytes
        let length = max(shape.limit * stride, 4096)
        let flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE
        let start = mmap(nil, length, PROT_READ | PROT_WRITE, flags, -1, 0)
        guard let start, start != MAP_FAILED else {
            throw RingError("mmap of \(length) bytes of buffers", code: errno)
        }
        self.sizeClass = sizeClass
        self.shape = shape
        mapping = UnsafeMutableRawBufferPointer(start: start, count: length)
        area = shape.registered == 0 ? .none
            : ring.register(.init(start: start, count: shape.registered * stride))
        references = .allocate(capacity: shape.limit)
        references.initialize(repeating: 0, count: shape.limit)
        touched = .allocate(capacity: shape.limit)
        touched.initialize(repeating: false, count: shape.limit)
        free = .allocate(capacity: shape.limit)
        freeRegistered = shape.registered
        freeOthers = shape.limit - shape.registered
        // The lowest index lies on top of each stack.
        for i in 0..<shape.limit {
            let isRegistered = i < shape.registered
            let place = isRegistered ? shape.registered - 1 - i : shape.limit - 1 - (i - shape.registered)
            (free + place).initialize(to: UInt32(i))
        }
    }

    deinit {
        munmap(mapping.baseAddress, mapping.count)
        references.deallocate()
        touched.deallocate()
        free.deallocate()
    }

    var available: Int { freeRegistered + freeOthers }

    private var stride: Int { sizeClass.bytes + shape.headroomBytes }

    private func bytes(_ index: UInt32) -> UnsafeMutableRawPointer {
        mapping.baseAddress! + Int(index) * stride + shape.headroomBytes
    }

    mutating func acquire() -> Buffer? {
        let index: UInt32
        if freeRegistered > 0 {
            freeRegistered -= 1
            index = free[freeRegistered]
        } else if freeOthers > 0 {
            freeOthers -= 1
            index = free[shape.registered + freeOthers]
            touched[Int(index)] = true
        } else {
            return nil
        }
        references[Int(index)] = 1
        let area = Int(index) < shape.registered ? area : .none
        return Buffer(bytes: bytes(index), area: area, index: index, sizeClass: sizeClass)
    }

    mutating func retain(_ index: UInt32) {
        if references[Int(index)] == 0 { misused(index) }
        references[Int(index)] += 1
    }

    mutating func release(_ index: UInt32) {
        if references[Int(index)] == 0 { misused(index) }
        references[Int(index)] -= 1
        if references[Int(index)] > 0 { return }
        if Int(index) < shape.registered {
            free[freeRegistered] = index
            freeRegistered += 1
        } else {
            free[shape.registered + freeOthers] = index
            freeOthers += 1
        }
    }

    @inline(never)
    private func misused(_ index: UInt32) -> Never {
        fatalError("buffer \(index) of \(sizeClass.bytes) bytes is retained or released, and free")
    }

    mutating func trim() -> Int {
        var count = 0
        for i in 0..<freeOthers {
            let index = free[shape.registered + i]
            guard touched[Int(index)] else { continue }
            touched[Int(index)] = false
            madvise(bytes(index) - shape.headroomBytes, stride, MADV_DONTNEED)
            count += 1
        }
        return count
    }
}
