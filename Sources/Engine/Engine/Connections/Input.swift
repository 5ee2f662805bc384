import Glibc
import Units

/// The bytes received on one connection that nobody has looked at yet.
///
///     [ taken | start ..< end: to be looked at | room: the next receive ]
struct Input: ~Copyable {
    private let bytes: UnsafeMutableRawPointer
    private var start = 0
    private var end = 0

    init() { bytes = .allocate(byteCount: EngineLimits.inputBytes, alignment: 4096) }

    deinit { bytes.deallocate() }

    var count: Int { end - start }
    var first: UnsafeMutableRawPointer { bytes + start }

    mutating func drop(_ count: Int) {
        start += count
        if start == end {
            start = 0
            end = 0
        }
    }

    /// Where the next receive goes. Moves what is left to the front where little room is behind it:
    /// not while a receive is under way.
    mutating func room() -> UnsafeMutableRawBufferPointer {
        if start > 0 && EngineLimits.inputBytes - end < EngineLimits.inputBytes / 2 {
            memmove(bytes, bytes + start, count)
            end -= start
            start = 0
        }
        let count = EngineLimits.inputBytes - end
        return UnsafeMutableRawBufferPointer(start: bytes + end, count: count)
    }

    mutating func received(_ count: Int) { end += count }
}
