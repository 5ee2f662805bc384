import Records
import Testing
import Units

@testable import Engine

/// The token buckets, with a clock of the test's own.
struct ThrottleTests {
    private let start = Instant(nanoseconds: 5_000_000_000)

    /// How many requests of so many bytes pass in a time, asked as soon as they may.
    private func passed(
        _ throttle: inout Throttle, bytes: UInt64, from start: Instant, for span: Span
    ) -> Int {
        var now = start
        var count = 0
        while now < start + span {
            let opensAt = throttle.opensAt
            if opensAt > now {
                now = opensAt
                continue
            }
            throttle.count(bytes: bytes, now: now)
            count += 1
        }
        return count
    }

    @Test func withoutALimitEverythingPasses() {
        var throttle = Throttle()
        #expect(!throttle.isLimited)
        throttle.count(bytes: 1 << 30, now: start)
        #expect(throttle.opensAt <= start)
    }

    @Test func requestsASecondAreKeptAfterABurstOfATenthOfThem() {
        var throttle = Throttle()
        throttle.set(ServiceLevel(iopsMax: 1000), now: start)
        #expect(passed(&throttle, bytes: 4096, from: start, for: .seconds(10)) == 10_100)
    }

    @Test func bytesASecondAreKept() {
        var throttle = Throttle()
        throttle.set(ServiceLevel(bandwidthMax: 8), now: start)
        let count = passed(&throttle, bytes: 64 << 10, from: start, for: .seconds(10))
        #expect(count == 10 * 8 * 16 + 8 * 16 / 10 + 1)
    }

    @Test func theTighterOfBothLimitsCounts() {
        var throttle = Throttle()
        throttle.set(ServiceLevel(iopsMax: 100, bandwidthMax: 1000), now: start)
        #expect(passed(&throttle, bytes: 4096, from: start, for: .seconds(1)) == 110)
    }

    @Test func aRequestLargerThanABurstPassesInTheEnd() {
        var throttle = Throttle()
        throttle.set(ServiceLevel(bandwidthMax: 1), now: start)
        throttle.count(bytes: 1 << 20, now: start)
        #expect(throttle.opensAt == start + .milliseconds(900))
    }

    @Test func anIdleVolumeSavesUpNoMoreThanABurst() {
        var throttle = Throttle()
        throttle.set(ServiceLevel(iopsMax: 1000), now: start)
        let later = start + .seconds(3600)
        #expect(passed(&throttle, bytes: 512, from: later, for: .seconds(1)) == 1100)
    }

    @Test func aHigherLimitCountsAtOnce() {
        var throttle = Throttle()
        throttle.set(ServiceLevel(bandwidthMax: 1), now: start)
        throttle.count(bytes: 100 << 20, now: start)
        #expect(throttle.opensAt > start + .seconds(90))
        throttle.set(ServiceLevel(bandwidthMax: 100), now: start)
        #expect(throttle.opensAt <= start)
        throttle.set(.unlimited, now: start)
        #expect(!throttle.isLimited && throttle.opensAt <= start)
    }
}
