import Units

/// Elements that stay at one address and are known by a small number, which is used again after
/// a removal. A generation tells an element from the one that had its number before.
struct Table<Element: ~Copyable>: ~Copyable {
    private struct Row {
        var element: UnsafeMutablePointer<Element>?
        var generation: UInt32 = 0
    }

    private var rows: UnsafeMutablePointer<Row>
    private var capacity = 16
    private var used = 0
    private var free: [Int] = []
    let limit: Int

    init(limit: Int) {
        self.limit = limit
        rows = .allocate(capacity: capacity)
        rows.initialize(repeating: Row(), count: capacity)
    }

    deinit {
        for index in 0..<used {
            if let element = rows[index].element {
                element.deinitialize(count: 1)
                element.deallocate()
            }
        }
        rows.deallocate()
    }

    /// Indices below it may be in use.
    var end: Int { used }
    var count: Int { used - free.count }
    var isFull: Bool { count == limit }

    /// - Returns: the element's number; the table must not be full.
    mutating func insert(_ element: consuming Element) -> Int {
        require(!isFull, "a table of \(limit) is full")
        let index = free.popLast() ?? append()
        let place = UnsafeMutablePointer<Element>.allocate(capacity: 1)
        place.initialize(to: element)
        rows[index].element = place
        return index
    }

    private mutating func append() -> Int {
        if used == capacity {
            let larger = UnsafeMutablePointer<Row>.allocate(capacity: capacity * 2)
            larger.moveInitialize(from: rows, count: capacity)
            (larger + capacity).initialize(repeating: Row(), count: capacity)
            rows.deallocate()
            rows = larger
            capacity *= 2
        }
        used += 1
        return used - 1
    }

    mutating func remove(_ index: Int) {
        guard let element = rows[index].element else { trap("nothing at \(index)") }
        element.deinitialize(count: 1)
        element.deallocate()
        rows[index].element = nil
        rows[index].generation = (rows[index].generation + 1) & 0xFF_FFFF
        free.append(index)
    }

    @inline(__always)
    subscript(_ index: Int) -> UnsafeMutablePointer<Element> {
        rows[index].element.unsafelyUnwrapped
    }

    /// The element, unless it has gone.
    @inline(__always)
    func find(_ index: Int) -> UnsafeMutablePointer<Element>? {
        index < used ? rows[index].element : nil
    }

    /// The element, unless it has gone and its number may be another's.
    @inline(__always)
    func find(_ index: Int, generation: UInt32) -> UnsafeMutablePointer<Element>? {
        guard index < used, rows[index].generation == generation else { return nil }
        return rows[index].element
    }

    func generation(_ index: Int) -> UInt32 { rows[index].generation }
}
