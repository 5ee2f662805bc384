/// What a machine wants done, in order. The storage is kept, so that a warm queue allocates nothing.
///
/// Whoever performs the actions takes them one at a time until there is none; performing one may
/// bring an event that appends more.
public struct ActionQueue<Action>: ~Copyable {
    @usableFromInline var storage: UnsafeMutablePointer<Action>
    @usableFromInline var capacity: Int
    @usableFromInline var head = 0
    @usableFromInline var count = 0

    init(capacity: Int = 64) {
        self.capacity = capacity
        storage = .allocate(capacity: capacity)
    }

    deinit {
        for index in 0..<count { (storage + (head + index) & (capacity - 1)).deinitialize(count: 1) }
        storage.deallocate()
    }

    @inlinable public var isEmpty: Bool { count == 0 }

    mutating func append(_ action: Action) {
        if count == capacity { grow() }
        (storage + (head + count) & (capacity - 1)).initialize(to: action)
        count += 1
    }

    @inlinable public mutating func next() -> Action? {
        if count == 0 { return nil }
        let action = (storage + head).move()
        head = (head + 1) & (capacity - 1)
        count -= 1
        return action
    }

    @inline(never)
    private mutating func grow() {
        let larger = UnsafeMutablePointer<Action>.allocate(capacity: capacity * 2)
        for index in 0..<count {
            (larger + index).initialize(to: (storage + (head + index) & (capacity - 1)).move())
        }
        storage.deallocate()
        storage = larger
        capacity *= 2
        head = 0
    }
}
