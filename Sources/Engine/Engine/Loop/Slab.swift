import Units

/// Plain values known by a number, which is used again. Grows by doubling; grown once, it
/// allocates no more. An address is good until the next `insert`.
struct Slab<Element>: ~Copyable {
    private struct Row {
        var element: Element
        var generation: UInt32
        var nextFree: Int32
        var isInUse: Bool
    }

    private var rows: UnsafeMutablePointer<Row>
    private var capacity: Int
    private var used = 0
    private var firstFree: Int32 = -1
    private(set) var count = 0

    init(capacity: Int) {
        self.capacity = capacity
        rows = .allocate(capacity: capacity)
    }

    deinit { rows.deallocate() }

    mutating func insert(_ element: Element) -> Int {
        count += 1
        if firstFree >= 0 {
            let index = Int(firstFree)
            firstFree = rows[index].nextFree
            rows[index].element = element
            rows[index].isInUse = true
            return index
        }
        if used == capacity { grow() }
        (rows + used).initialize(
            to: Row(element: element, generation: 0, nextFree: -1, isInUse: true))
        used += 1
        return used - 1
    }

    mutating func remove(_ index: Int) {
        require(rows[index].isInUse, "slab entry \(index) removed twice")
        rows[index].isInUse = false
        rows[index].generation = (rows[index].generation + 1) & 0xFF_FFFF
        rows[index].nextFree = firstFree
        firstFree = Int32(index)
        count -= 1
    }

    @inline(__always)
    subscript(_ index: Int) -> Element {
        get { rows[index].element }
        _modify { yield &rows[index].element }
    }

    @inline(__always)
    func generation(_ index: Int) -> UInt32 { rows[index].generation }

    func isInUse(_ index: Int) -> Bool { index < used && rows[index].isInUse }

    @inline(never)
    private mutating func grow() {
        let larger = UnsafeMutablePointer<Row>.allocate(capacity: capacity * 2)
        larger.moveInitialize(from: rows, count: used)
        rows.deallocate()
        rows = larger
        capacity *= 2
    }
}
