import Foundation
import Synchronization

/// Decides how long the writing connection waits for other processes' locks. SQLite's own timeout
/// is the same for every statement; this one is the deadline of the request being served, so that
/// requests queueing behind a stopped process all fail in time, not one timeout after the other.
final class WriteDeadline: Sendable {
    private let deadline = Atomic<Int64>(0)

    /// In nanoseconds of CLOCK_BOOTTIME.
    func set(_ time: Int64) { deadline.store(time, ordering: .relaxed) }

    /// SQLite's busy handler: waits and says whether to try again. A lock is usually free after one
    /// fsync; random pauses keep processes from meeting again and again.
    func wait(tries: Int) -> Bool {
        let left = deadline.load(ordering: .relaxed) - BootClock.now
        guard left > 0 else { return false }
        let pauseMax = min(Int64(500_000) << min(tries, 5), 10_000_000)
        usleep(UInt32(min(Int64.random(in: 100_000...pauseMax), left) / 1_000))
        return true
    }
}
