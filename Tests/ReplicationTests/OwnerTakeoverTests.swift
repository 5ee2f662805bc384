import Records
import Testing
import Units
import WireFormat

@testable import Replication

/// Taking a volume over: rules 1 to 3, 15 and 16.
@Suite struct OwnerTakeoverTests {
    private let lost = Holding(checkpoint: .zero, intact: false, sameBoot: false)
    private let whole = Holding(checkpoint: .zero, intact: true, sameBoot: true)

    @Test func promisesAreAskedForWhenTheClaimIsRecorded() {
        let script = OwnerScript(copies: 2)
        #expect(script.change?.proposed.epoch == 5)
        #expect(script.opening.isEmpty)
        script.record()
        #expect(script.opening == [0, 1])
        script.greet(1)
        #expect(script.asked(1) == [.promise])
        #expect(script.epoch == 5)
    }

    @Test func anUnknownOutcomeIsProposedAgainUnchanged() {
        let script = OwnerScript(copies: 1)
        let change = script.change
        script.record(.unknown)
        #expect(script.proposals == 2 && script.change == change)
        var mine = change!.proposed
        mine.released = true
        // Its nonce says whose it is.
        script.record(.conflict(mine))
        #expect(script.end == nil && script.opening == [0])
    }

    @Test func anothersChangeDeposes() {
        let script = OwnerScript(copies: 1)
        var other = script.recorded
        other.epoch = 5
        other.nonce = Identifier(high: 8, low: 8)
        script.record(.conflict(other))
        #expect(script.end == .deposed(epoch: 5))
    }

    @Test func aReplicaOfAHigherEpochDeposes() {
        let script = OwnerScript(copies: 2)
        script.record()
        script.greet(1)
        script.answer(1, .promise, .refused, epoch: 9)
        #expect(script.end == .deposed(epoch: 9))
    }

    @Test func nothingIsServedBeforeAllHavePromised() {
        let script = OwnerScript(copies: 2)
        script.record()
        script.greet(1)
        script.greet(2)
        script.answer(1, .promise)
        script.write(1)
        #expect(!script.isServing && script.asked(1) == [])
        script.answer(2, .promise)
        script.answerList(1)
        script.answerList(2)
        #expect(script.isServing)
        #expect(script.asked(2).contains(.write))
    }

    @Test func aSilentReplicaIsRemovedAndTheRestServes() {
        let script = OwnerScript(copies: 2)
        script.record()
        script.greet(1)
        script.answer(1, .promise)
        script.cut(2)
        script.pass(.seconds(1))
        #expect(script.change == nil)
        script.pass(.milliseconds(1001))
        #expect(script.change?.purpose == .removeSilent)
        script.record()
        script.answer(1, .promise)
        #expect(script.isServing && script.epoch == 6)
        #expect(script.recorded.inSync.map(\.id) == [OwnerScript.replica(1)])
    }

    @Test func aTakeoverHasPatienceWithAPromiseThatWaitsForALease() {
        let script = OwnerScript(copies: 2)
        script.record()
        script.greet(1)
        script.greet(2)
        script.answer(1, .promise)
        // The other one may have to wait for the old owner's lease before it answers.
        script.pass(.milliseconds(2500))
        #expect(script.change == nil)
        script.answer(2, .promise)
        script.answerList(1)
        script.answerList(2)
        #expect(script.isServing)
    }

    @Test(arguments: [
        (Holding(intact: true, sameBoot: false), false),
        (Holding(intact: false, sameBoot: true), false),
        (Holding(intact: false, sameBoot: false), true),
    ])
    func writesMayBeGoneWhereEveryCopyHasLostPower(first: Holding, isLost: Bool) {
        let script = OwnerScript(copies: 2)
        script.record()
        script.greet(1)
        script.greet(2)
        script.answer(1, .promise, holding: first)
        script.answer(2, .promise, holding: lost)
        script.answerList(1)
        script.answerList(2)
        #expect(script.machine.mayLackWrites == isLost)
    }

    @Test func onlyRegionsThatMayDifferWaitForTheirCopy() {
        let script = OwnerScript(copies: 2)
        script.record()
        script.greet(1)
        script.greet(2)
        script.answer(1, .promise)
        script.answer(2, .promise)
        script.answerList(1, [RegionEntry(region: 3, stamp: Stamp(4, 1))])
        script.answerList(2)
        script.write(1, region: 3)
        script.write(2, region: 4)
        script.submit(.flush, 3)
        // Region 4 goes out at once; of region 3 the content of the source is read.
        #expect(script.asked(1) == [.read, .write] && script.asked(2) == [.write])
        script.answer(1, .read)
        script.answer(1, .write)
        script.answer(2, .write)
        #expect(script.completed == [2: .ok])
        // The copy is a write of its own, to the other replica.
        #expect(script.asked(2) == [.write])
        script.answer(2, .write)
        #expect(script.asked(1) == [.write, .whole, .flush] || script.asked(1).contains(.whole))
        #expect(script.asked(2).contains(.flush))
    }

    /// To where region 3 is being made equal, and a client's write waits for it.
    private func reconciling(_ holdings: [Holding]) -> OwnerScript {
        let script = OwnerScript(copies: holdings.count)
        script.record()
        for number in 1...holdings.count { script.greet(number) }
        for (index, holding) in holdings.enumerated() {
            script.answer(index + 1, .promise, holding: holding)
        }
        script.answerList(1, [RegionEntry(region: 3, stamp: Stamp(4, 1))])
        for number in 2...holdings.count { script.answerList(number) }
        script.write(1, region: 3)
        return script
    }

    private func asksForRegion3(_ script: OwnerScript, copy: Bool) -> [PeerIndex] {
        script.sent.filter {
            $0.request.kind == .write && $0.request.isCopy == copy
                && $0.request.range.firstRegion == 3
        }.map(\.peer)
    }

    @Test func whatTheSourceCannotReadComesFromOneThatHasLostNoMore() {
        let script = reconciling([whole, whole, whole])
        script.answer(1, .read, .badChecksum)
        let deputy = script.asked(2) == [.read] ? 2 : 3
        script.answer(deputy, .read)
        // All others get it, the source too.
        #expect(asksForRegion3(script, copy: true) == [0, 4 - deputy])
        script.answer(1, .write)
        script.answer(5 - deputy, .write)
        #expect(script.notices.contains { if case .repaired = $0 { true } else { false } })
        #expect(asksForRegion3(script, copy: false) == [0, 1, 2])
    }

    @Test func whoLacksWritesIsNoDeputy() {
        let script = reconciling([whole, lost])
        script.answer(1, .read, .badChecksum)
        #expect(script.asked(2) == [] && script.change == nil)
        // It is tried again later.
        script.pass(OwnerScript.timing.giveUp)
        #expect(script.asked(1) == [.read])
        script.answer(1, .read)
        #expect(asksForRegion3(script, copy: true) == [1])
    }

    /// A copy of region 3 is on its way when the takeover begins again: what waited for it must
    /// not overtake it, or be acknowledged below it.
    @Test func nothingStartsWhenATakeoverBeginsAgain() {
        let script = reconciling([whole, whole])
        script.answer(1, .read)
        #expect(asksForRegion3(script, copy: true) == [1])
        script.write(2, region: 4)
        script.answer(1, .write, .ioError)
        #expect(script.change?.purpose == .claim)
        #expect(asksForRegion3(script, copy: false) == [])
    }

    @Test func whereAReplicaLostPowerNothingIsServedBeforeAllAreWhole() {
        let script = OwnerScript(copies: 2)
        script.record()
        script.greet(1)
        script.greet(2)
        script.answer(1, .promise, holding: whole)
        script.answer(2, .promise, holding: lost)
        script.answerList(1)
        script.answerList(2)
        script.write(1)
        #expect(script.asked(1) == [.whole] && script.asked(2) == [.whole])
        script.answer(1, .whole)
        #expect(script.asked(1) == [])
        script.answer(2, .whole)
        #expect(script.asked(1) == [.write] && script.asked(2) == [.write])
    }

    @Test func wholeIsSaidAgainOnANewLink() {
        let script = OwnerScript(copies: 2)
        script.record()
        script.greet(1)
        script.greet(2)
        script.answer(1, .promise, holding: whole)
        script.answer(2, .promise, holding: lost)
        script.answerList(1)
        script.answerList(2)
        script.write(1)
        script.answer(1, .whole)
        script.cut(2)
        script.pass(.milliseconds(150))
        script.greet(2)
        script.answer(2, .promise, holding: lost)
        script.answer(2, .whole)
        #expect(script.asked(1) == [.write] && script.asked(2) == [.write])
    }

    @Test func theSourceIsAReplicaThatLostNothing() {
        let script = OwnerScript(copies: 3)
        script.record()
        for number in 1...3 { script.greet(number) }
        script.answer(1, .promise, holding: lost)
        script.answer(2, .promise, holding: whole)
        script.answer(3, .promise, holding: lost)
        for number in [2, 1, 3] {
            script.answerList(number, [RegionEntry(region: 0, stamp: Stamp(4, 1))])
        }
        #expect(script.asked(2) == [.read] && script.asked(1) == [] && script.asked(3) == [])
        script.answer(2, .read)
        #expect(script.asked(1) == [.write] && script.asked(3) == [.write])
    }
}
