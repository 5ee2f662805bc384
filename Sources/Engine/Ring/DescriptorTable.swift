import Glibc
import Units

/// What the libaio backend has in flight on one descriptor in one direction.
@safe struct Waiting {
    enum Kind: UInt8 {
        case nothing
        case receive, receiveWhole, accept, pollInput
        case send, sendMessage, connect
    }

    var kind = Kind.nothing
    var tag = OperationTag(rawValue: 0)
    /// The bytes to fill or send, or the message.
    var memory: UnsafeMutableRawPointer?
    var length = 0
    /// Bytes moved so far.
    var done = 0
}

/// One row for each descriptor number: at most one operation in each direction, and whether epoll
/// watches it.
@safe struct DescriptorTable: ~Copyable {
    struct Row {
        var input = Waiting()
        var output = Waiting()
        var isWatched = false
    }

    private var rows: UnsafeMutablePointer<Row>
    private var capacity = 256

    init() {
        unsafe rows = .allocate(capacity: capacity)
        unsafe rows.initialize(repeating: Row(), count: capacity)
    }

    deinit { unsafe rows.deallocate() }

    /// The row stays in its place until a higher descriptor is asked for.
    mutating func row(_ descriptor: Int32) -> UnsafeMutablePointer<Row> {
        if descriptor < 0 { trap("use", descriptor: descriptor, -EBADF) }
        if Int(descriptor) >= capacity { grow(toHold: Int(descriptor)) }
        return unsafe rows + Int(descriptor)
    }

    @inline(never)
    private mutating func grow(toHold index: Int) {
        var larger = capacity
        while larger <= index { larger *= 2 }
        let moved = UnsafeMutablePointer<Row>.allocate(capacity: larger)
        unsafe moved.moveInitialize(from: rows, count: capacity)
        unsafe (moved + capacity).initialize(repeating: Row(), count: larger - capacity)
        unsafe rows.deallocate()
        unsafe rows = moved
        capacity = larger
    }
}
