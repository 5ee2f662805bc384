import Glibc
import Units

/// The buffers of one size: one mapping, a reference count for each, and two stacks of free ones.
@safe struct BufferArena: ~Copyable {
    private let sizeClass: BufferPool.SizeClass
    private let shape: BufferPool.Shape
    private let mapping: UnsafeMutableRawBufferPointer
    private let area: RegisteredArea
    private let references: FixedArray<UInt16>
    /// Whether an unregistered buffer's memory may be resident.
    private let touched: FixedArray<Bool>
    /// The free registered buffers lie in [0, registered), the others behind; each part is a stack.
    private let free: FixedArray<UInt32>
    private var freeRegistered: Int
    private var freeOthers: Int

    init(_ sizeClass: BufferPool.SizeClass, _ shape: BufferPool.Shape,
         ring: inout Ring) throws(RingError) {
        require(shape.registered <= shape.limit && shape.headroomBytes % 4096 == 0, "\(shape)")
        let stride = sizeClass.bytes + shape.headroomBytes
        let length = max(shape.limit * stride, 4096)
        let flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE
        let start = unsafe mmap(nil, length, PROT_READ | PROT_WRITE, flags, -1, 0)
        guard let start = unsafe start, unsafe start != MAP_FAILED else {
            throw RingError("mmap of \(length) bytes of buffers", code: errno)
        }
        self.sizeClass = sizeClass
        self.shape = shape
        unsafe mapping = UnsafeMutableRawBufferPointer(start: start, count: length)
        area = unsafe shape.registered == 0
            ? .none : ring.register(.init(start: start, count: shape.registered * stride))
        references = FixedArray(repeating: 0, count: shape.limit)
        touched = FixedArray(repeating: false, count: shape.limit)
        free = FixedArray(repeating: 0, count: shape.limit)
        freeRegistered = shape.registered
        freeOthers = shape.limit - shape.registered
        // The lowest index lies on top of each stack.
        for i in 0..<freeRegistered { free[freeRegistered - 1 - i] = UInt32(i) }
        for i in 0..<freeOthers { free[shape.limit - 1 - i] = UInt32(freeRegistered + i) }
    }

    deinit { unsafe munmap(mapping.baseAddress, mapping.count) }

    var available: Int { freeRegistered + freeOthers }

    private var stride: Int { sizeClass.bytes + shape.headroomBytes }

    private func bytes(_ index: UInt32) -> UnsafeMutableRawPointer {
        unsafe mapping.baseAddress! + Int(index) * stride + shape.headroomBytes
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
        return unsafe Buffer(bytes: bytes(index), area: area, index: index, sizeClass: sizeClass)
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
        trap("buffer \(index) of \(sizeClass.bytes) bytes is retained or released, and free")
    }

    mutating func trim() -> Int {
        var count = 0
        for i in 0..<freeOthers {
            let index = free[shape.registered + i]
            guard touched[Int(index)] else { continue }
            touched[Int(index)] = false
            unsafe madvise(bytes(index) - shape.headroomBytes, stride, MADV_DONTNEED)
            count += 1
        }
        return count
    }
}
