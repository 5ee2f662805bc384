import Records
import Testing
import Units
import WireFormat

@testable import Replication

/// Rebuilds, checkpoints, copies that are given back, and the end of a session: rules 12, 13, 17.
@Suite struct OwnerRebuildTests {
    private let target = OwnerScript.replica(2)

    /// Replica 2 is stale; the rebuild of it has listed region 3 and copied it.
    private func copied() -> OwnerScript {
        let script = OwnerScript(copies: 2, stale: [2])
        script.serve()
        #expect(script.command { $0.startRebuild(of: OwnerScript.replica(2), now: $1) })
        script.greet(2)
        script.answer(2, .promise)
        script.answerList(1, [RegionEntry(region: 3, stamp: Stamp(4, 1))])
        script.answerList(2)
        script.answer(1, .read)
        script.answer(2, .write)
        return script
    }

    @Test func aTargetIsFlushedToldAndThenInSync() {
        let script = copied()
        #expect(script.asked(2) == [.flush])
        script.answer(2, .flush)
        script.answer(2, .checkpoint)
        script.answer(2, .whole)
        #expect(script.change?.purpose == .promote(target))
        script.record()
        #expect(script.recorded.inSync.count == 2)
        #expect(script.notices.contains(.replicaJoined(target, 6)))
    }

    @Test func newWritesGoToTheTargetAndCountFromTheCandidateOn() {
        let script = OwnerScript(copies: 2, stale: [2])
        script.serve()
        #expect(script.command { $0.startRebuild(of: OwnerScript.replica(2), now: $1) })
        script.greet(2)
        script.answer(2, .promise)
        script.write(1)
        #expect(script.asked(2).contains(.write))
        script.answer(1, .write)
        // Acknowledged without the target, which has to answer before its range is free.
        #expect(script.completed == [1: .ok])
        script.write(2)
        #expect(!script.asked(1).contains(.write))
        script.answer(2, .write)
        #expect(script.asked(1).contains(.write))

        let later = copied()
        later.write(3)
        later.answer(1, .write)
        #expect(later.completed.isEmpty)
        later.answer(2, .write)
        #expect(later.completed == [3: .ok])
    }

    @Test func regionsAreListedWhenEarlierWritesHaveEnded() {
        let script = OwnerScript(copies: 2, stale: [2])
        script.serve()
        script.write(1)
        #expect(script.command { $0.startRebuild(of: OwnerScript.replica(2), now: $1) })
        script.greet(2)
        script.answer(2, .promise)
        #expect(!script.asked(1).contains(.list))
        script.answer(1, .write)
        #expect(script.asked(1).contains(.list))
    }

    @Test func aTargetThatIsCutOffEndsTheRebuild() {
        let script = OwnerScript(copies: 2, stale: [2])
        script.serve()
        #expect(script.command { $0.startRebuild(of: OwnerScript.replica(2), now: $1) })
        script.greet(2)
        script.answer(2, .promise)
        script.write(1)
        script.answer(1, .write)
        script.cut(2)
        #expect(script.notices.contains(.rebuildFailed(target)))
        script.write(2)
        script.answer(1, .write)
        #expect(script.completed == [1: .ok, 2: .ok])
    }

    @Test func aCandidateThatLosesPowerIsCountedUntilTheAnswerAndThenLeaves() {
        let script = copied()
        script.answer(2, .flush)
        script.answer(2, .checkpoint)
        script.answer(2, .whole)
        script.record(.unknown)
        script.cut(2)
        script.pass(.milliseconds(150))
        script.greet(2, boot: 2)
        script.write(1)
        script.answer(1, .write)
        // The record may name it in sync by now.
        #expect(script.completed.isEmpty)
        script.record()
        script.answer(1, .promise)
        #expect(script.change?.purpose == .removeSilent)
        #expect(script.completed.isEmpty)
        script.record()
        #expect(script.completed == [1: .ok])
        #expect(script.recorded.inSync.map(\.id) == [OwnerScript.replica(1)])
    }

    @Test func aFlushWaitsForTheEndOfTheReconciliation() {
        let script = OwnerScript(copies: 2)
        script.record()
        script.greet(1)
        script.greet(2)
        script.answer(1, .promise)
        script.answer(2, .promise)
        script.answerList(1, [RegionEntry(region: 3, stamp: Stamp(4, 1))])
        script.answerList(2)
        script.submit(.flush, 1)
        #expect(!script.asked(1).contains(.flush))
        script.answer(1, .read)
        script.answer(2, .write)
        #expect(script.asked(1).contains(.flush) && script.asked(2).contains(.flush))
    }

    @Test func aGenerationClosesWhenItsWritesHaveEndedAndIsFlushed() {
        let script = OwnerScript(copies: 2)
        script.serve()
        script.write(1)
        script.pass(.milliseconds(1500))
        script.answer(1, .write)
        script.answer(2, .write)
        script.pass(OwnerScript.timing.closeGeneration)
        #expect(script.asked(1) == [.flush] && script.asked(2) == [.flush])
        script.answer(1, .flush)
        #expect(script.asked(1) == [])
        script.answer(2, .flush)
        let told = script.sent.map(\.request)
        #expect(told.map(\.kind) == [.checkpoint, .checkpoint])
        #expect(told.allSatisfy { $0.stamp == Stamp(5, 1) })
    }

    @Test func aCopyIsFreedOnlyWhereEnoughAreInSyncWithoutIt() {
        let script = OwnerScript(copies: 3)
        script.serve()
        #expect(!script.command { $0.free(OwnerScript.replica(3), copiesWanted: 3, now: $1) })
        #expect(script.command { $0.free(OwnerScript.replica(3), copiesWanted: 2, now: $1) })
        #expect(script.change?.dropped.map(\.id) == [OwnerScript.replica(3)])
        script.record()
        #expect(script.recorded.replicas.count == 2)
    }

    @Test func aSessionThatIsClosedEndsItsWorkAndIsReleased() {
        let script = OwnerScript(copies: 1)
        script.serve()
        script.write(1)
        #expect(script.command { machine, now in machine.close(now: now); return true })
        #expect(script.change == nil)
        script.answer(1, .write)
        script.answer(1, .flush)
        script.answer(1, .checkpoint)
        #expect(script.asked(1) == [.giveLeaseBack])
        #expect(script.change?.purpose == .release)
        script.record()
        #expect(script.end == .released && script.completed == [1: .ok])
    }
}
