/// Numbers of things that have something to do, first in first out. Whoever is in it says so
/// itself, so that nothing is in it twice. Grows by doubling.
struct WorkList: ~Copyable {
    private var items: UnsafeMutablePointer<UInt32>
    private var capacity = 64
    private var head = 0
    private(set) var count = 0

    init() { items = .allocate(capacity: capacity) }

    deinit { items.deallocate() }

    var isEmpty: Bool { count == 0 }

    @inline(__always)
    mutating func append(_ item: Int) {
        if count == capacity { grow() }
        items[(head + count) & (capacity - 1)] = UInt32(item)
        count += 1
    }

    @inline(__always)
    mutating func popFirst() -> Int? {
        if count == 0 { return nil }
        let item = items[head]
        head = (head + 1) & (capacity - 1)
        count -= 1
        return Int(item)
    }

    @inline(never)
    private mutating func grow() {
        let larger = UnsafeMutablePointer<UInt32>.allocate(capacity: capacity * 2)
        for index in 0..<count { larger[index] = items[(head + index) & (capacity - 1)] }
        items.deallocate()
        items = larger
        capacity *= 2
        head = 0
    }
}
