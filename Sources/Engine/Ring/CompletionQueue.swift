import Units

/// A first-in first-out queue of completions in a circular buffer that doubles when it is full.
@safe struct CompletionQueue: ~Copyable {
    private var entries: UnsafeMutablePointer<Completion>
    private var capacity: Int
    private var head = 0
    private(set) var count = 0

    /// - Parameter capacity: a power of two.
    init(capacity: Int) {
        require(capacity > 0 && capacity & (capacity - 1) == 0, "a queue of \(capacity)")
        self.capacity = capacity
        unsafe entries = .allocate(capacity: capacity)
    }

    deinit { unsafe entries.deallocate() }

    var isEmpty: Bool { count == 0 }

    @inline(__always)
    mutating func append(_ completion: Completion) {
        if count == capacity { grow() }
        unsafe (entries + ((head + count) & (capacity - 1))).initialize(to: completion)
        count += 1
    }

    @inline(__always)
    mutating func popFirst() -> Completion? {
        if count == 0 { return nil }
        let first = unsafe entries[head]
        head = (head + 1) & (capacity - 1)
        count -= 1
        return first
    }

    @inline(never)
    private mutating func grow() {
        let larger = UnsafeMutablePointer<Completion>.allocate(capacity: capacity * 2)
        for i in 0..<count {
            unsafe (larger + i).initialize(to: entries[(head + i) & (capacity - 1)])
        }
        unsafe entries.deallocate()
        unsafe entries = unsafe larger
        capacity *= 2
        head = 0
    }
}
