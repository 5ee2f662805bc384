import Testing

@testable import Simulation

/// What clients may see, on one sector.
@Suite struct OracleTests {
    private func write(_ number: Int, _ oracle: inout Oracle, at time: UInt64, session: Int = 1) {
        oracle.submitted(number, SectorValue(number), at: [0], session: session, now: time)
    }

    @Test func anAcknowledgedWriteReplacesWhatWasBefore() {
        var oracle = Oracle(sectors: 1)
        write(1, &oracle, at: 10)
        #expect(oracle.possible(0) == [0, 1])
        oracle.acknowledged(1, at: [0], now: 20)
        #expect(oracle.possible(0) == [1])
        #expect(oracle.read(0, at: 0, askedAt: 30, now: 40) != nil)
        #expect(oracle.read(1, at: 0, askedAt: 30, now: 40) == nil)
    }

    @Test func whatAReadHasSettledStaysSo() {
        var oracle = Oracle(sectors: 1)
        write(1, &oracle, at: 10)
        oracle.abandoned(1, at: [0], now: 20)
        #expect(oracle.read(1, at: 0, askedAt: 30, now: 40) == nil)
        #expect(oracle.read(0, at: 0, askedAt: 50, now: 60) != nil)
    }

    @Test func aWriteUnderWayMayComeAfterARead() {
        var oracle = Oracle(sectors: 1)
        write(1, &oracle, at: 10)
        #expect(oracle.read(0, at: 0, askedAt: 11, now: 12) == nil)
        #expect(oracle.read(1, at: 0, askedAt: 13, now: 14) == nil)
    }

    @Test func aPowerLossOfAllGivesBackWhatNoFlushCovers() {
        var oracle = Oracle(sectors: 1)
        write(1, &oracle, at: 10)
        oracle.acknowledged(1, at: [0], now: 20)
        oracle.mayLose(before: 30)
        #expect(oracle.read(0, at: 0, askedAt: 40, now: 50) == nil)
    }

    @Test func aFlushedWriteNeverVanishes() {
        var oracle = Oracle(sectors: 1)
        write(1, &oracle, at: 10)
        oracle.acknowledged(1, at: [0], now: 20)
        oracle.flushed(askedAt: 21)
        oracle.mayLose(before: 30)
        #expect(oracle.read(0, at: 0, askedAt: 40, now: 50) != nil)
    }

    @Test func aWriteWithForcedUnitAccessNeverVanishes() {
        var oracle = Oracle(sectors: 1)
        write(1, &oracle, at: 10)
        oracle.acknowledged(1, at: [0], now: 20)
        oracle.durable(1, at: [0])
        oracle.mayLose(before: 30)
        #expect(oracle.read(0, at: 0, askedAt: 40, now: 50) != nil)
    }
}
