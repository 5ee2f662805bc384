import Records
import Replication
import Units

/// Holds a volume's reads and writes back to so many a second, and so many bytes a second.
///
/// A token bucket, kept as one instant for each limit (the generic cell rate algorithm, ITU-T
/// I.371): until when what was let through has used the limit up. The next one passes while that
/// lies at most `burst` ahead. So a volume that was idle may go ahead by a tenth of a second's
/// worth at once, a request of any size passes in the end, and nothing ticks while it is idle.
struct Throttle {
    static let burst = Span.milliseconds(100)

    private struct Meter {
        /// Units a second; 0 for no limit.
        var rate: UInt64 = 0
        var usedUntil = Instant.zero

        mutating func count(_ units: UInt64, _ now: Instant) {
            if rate == 0 { return }
            let cost = Span(nanoseconds: units * 1_000_000_000 / rate)
            usedUntil = max(usedUntil, now) + cost
        }

        /// A rate that was raised is not to pay for what the old one let through.
        mutating func set(_ rate: UInt64, _ now: Instant) {
            if rate == self.rate { return }
            self.rate = rate
            usedUntil = min(usedUntil, now + Throttle.burst)
        }
    }

    private var requests = Meter()
    private var bytes = Meter()
    /// When a timer asks again.
    var wakesAt = Instant.distantFuture

    @inline(__always)
    var isLimited: Bool { requests.rate | bytes.rate != 0 }

    mutating func set(_ level: ServiceLevel, now: Instant) {
        requests.set(min(level.iopsMax ?? 0, ServiceLevel.most), now)
        bytes.set(min(level.bandwidthMax ?? 0, ServiceLevel.most) << 20, now)
    }

    /// When the next read or write may pass; it may at once when that is not after now.
    var opensAt: Instant {
        let usedUntil = max(requests.usedUntil, bytes.usedUntil)
        return Instant(nanoseconds: (usedUntil - (Instant.zero + Self.burst)).nanoseconds)
    }

    /// One has passed.
    mutating func count(bytes count: UInt64, now: Instant) {
        requests.count(1, now)
        bytes.count(count, now)
    }
}

extension ClientRequest {
    /// Whether it moves data. What only frees space or makes data durable is not held back.
    @inline(__always)
    var movesData: Bool {
        switch self {
        case .read, .write: true
        case .discard, .writeZeroes, .flush: false
        }
    }
}
