import Units

/// What a timer is for.
struct Timer {
    enum Kind: UInt8 {
        case volume, throttle, replica, replicaIdle, hello, heartbeats, acceptAgain, stopPatience, trim
    }

    var instant: Instant
    var kind: Kind
    var index: Int32
    var generation: UInt32
}

/// Timers of one loop, the earliest first: a binary heap. None is ever taken out before its time:
/// whoever it is for sees whether it still counts.
struct Timers: ~Copyable {
    private var heap: UnsafeMutablePointer<Timer>
    private var capacity = 64
    private var count = 0

    init() { heap = .allocate(capacity: capacity) }

    deinit { heap.deallocate() }

    var earliest: Instant { count == 0 ? .distantFuture : heap[0].instant }

    mutating func add(_ timer: Timer) {
        if count == capacity { grow() }
        var place = count
        count += 1
        while place > 0 {
            let parent = (place - 1) / 2
            if heap[parent].instant <= timer.instant { break }
            heap[place] = heap[parent]
            place = parent
        }
        heap[place] = timer
    }

    /// The earliest timer, if its time has come.
    mutating func popDue(at now: Instant) -> Timer? {
        guard count > 0, heap[0].instant <= now else { return nil }
        let due = heap[0]
        count -= 1
        if count > 0 { sink(heap[count]) }
        return due
    }

    private mutating func sink(_ timer: Timer) {
        var place = 0
        while true {
            var child = 2 * place + 1
            if child >= count { break }
            if child + 1 < count && heap[child + 1].instant < heap[child].instant { child += 1 }
            if heap[child].instant >= timer.instant { break }
            heap[place] = heap[child]
            place = child
        }
        heap[place] = timer
    }

    @inline(never)
    private mutating func grow() {
        let larger = UnsafeMutablePointer<Timer>.allocate(capacity: capacity * 2)
        larger.moveInitialize(from: heap, count: count)
        heap.deallocate()
        heap = larger
        capacity *= 2
    }
}
