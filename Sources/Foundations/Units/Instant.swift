/// A point on one machine's own CLOCK_BOOTTIME, in nanoseconds. Never compared between machines.
public struct Instant: Hashable, Comparable, Sendable {
    public var nanoseconds: UInt64

    @inlinable public init(nanoseconds: UInt64) { self.nanoseconds = nanoseconds }

    public static let zero = Instant(nanoseconds: 0)
    public static let distantFuture = Instant(nanoseconds: .max)

    @inlinable public static func < (a: Instant, b: Instant) -> Bool { a.nanoseconds < b.nanoseconds }

    @inlinable public static func + (a: Instant, b: Span) -> Instant {
        let (sum, overflow) = a.nanoseconds.addingReportingOverflow(b.nanoseconds)
        return overflow ? .distantFuture : Instant(nanoseconds: sum)
    }

    /// The time from `b` to `a`; zero where `b` is later.
    @inlinable public static func - (a: Instant, b: Instant) -> Span {
        Span(nanoseconds: a < b ? 0 : a.nanoseconds - b.nanoseconds)
    }
}

/// A length of time in nanoseconds.
public struct Span: Hashable, Comparable, Sendable {
    public var nanoseconds: UInt64

    @inlinable public init(nanoseconds: UInt64) { self.nanoseconds = nanoseconds }
    @inlinable public static func milliseconds(_ count: UInt64) -> Span { Span(nanoseconds: count * 1_000_000) }
    @inlinable public static func seconds(_ count: UInt64) -> Span { Span(nanoseconds: count * 1_000_000_000) }

    @inlinable public static func < (a: Span, b: Span) -> Bool { a.nanoseconds < b.nanoseconds }

    /// This span on a clock that may run apart from ours by the drift margin: a little longer.
    @inlinable public func lengthened(byPercent percent: UInt64) -> Span {
        Span(nanoseconds: nanoseconds + nanoseconds / 100 * percent)
    }

    @inlinable public func shortened(byPercent percent: UInt64) -> Span {
        Span(nanoseconds: nanoseconds - nanoseconds / 100 * percent)
    }
}
