import Records
import Testing
import Units
import WireFormat

@testable import Replication

/// Serving clients: rules 4, 8, 9, 11, 12 and 20, and invariant 2.
@Suite struct OwnerServingTests {
    private let block = ByteRange(offset: 0, length: 4096)

    @Test func aWriteIsAcknowledgedWhenAllInSyncHaveIt() {
        let script = OwnerScript(copies: 3)
        script.serve()
        script.write(1)
        script.answer(1, .write)
        script.answer(3, .write)
        #expect(script.completed.isEmpty)
        script.answer(2, .write)
        #expect(script.completed == [1: .ok])
    }

    @Test func aSilentReplicaIsRemovedBeforeAWriteIsAcknowledgedWithoutIt() {
        let script = OwnerScript(copies: 2)
        script.serve()
        script.write(1)
        script.answer(1, .write)
        script.pass(.milliseconds(2001))
        #expect(script.change?.purpose == .removeSilent)
        #expect(script.completed.isEmpty)
        script.record()
        #expect(script.completed == [1: .ok])
        #expect(script.notices.contains(.replicaLeft(OwnerScript.replica(2), 6)))
    }

    @Test func whileARemovalIsUnknownNobodyCountsAsRemoved() {
        let script = OwnerScript(copies: 2)
        script.serve()
        script.write(1)
        script.answer(1, .write)
        script.pass(.milliseconds(2001))
        script.record(.unknown)
        script.record(.unknown)
        #expect(script.completed.isEmpty)
    }

    @Test func theLastReplicasErrorGoesToTheClient() {
        let script = OwnerScript(copies: 1)
        script.serve()
        script.write(1)
        script.answer(1, .write, .ioError)
        #expect(script.completed == [1: .ioError])
        script.write(2)
        script.answer(1, .write, .noSpace)
        #expect(script.completed[2] == .noSpace)
        #expect(script.end == nil && script.change == nil)
    }

    @Test func aReplicaThatFailsAWriteHasToLeave() {
        let script = OwnerScript(copies: 2)
        script.serve()
        script.write(1)
        script.answer(2, .write, .ioError)
        #expect(script.change?.purpose == .removeSilent)
        script.answer(1, .write)
        script.record()
        #expect(script.completed == [1: .ok])
    }

    @Test func aReadIsAnsweredUnderLeasesOfAllInSync() {
        let script = OwnerScript(copies: 2)
        script.serve()
        script.submit(.read(block), 1)
        // The data comes from the copy on the owner's node.
        #expect(script.asked(1) == [.lease, .read] && script.asked(2) == [.lease])
        script.answer(1, .read)
        script.answer(1, .lease)
        #expect(script.completed.isEmpty)
        script.answer(2, .lease)
        #expect(script.completed == [1: .ok])
    }

    @Test func aDamagedBlockIsReadElsewhereAndThenRepaired() {
        let script = OwnerScript(copies: 2)
        script.serve()
        script.submit(.read(block), 1)
        script.answer(1, .lease)
        script.answer(2, .lease)
        script.answer(1, .read, .badChecksum)
        script.answer(2, .read)
        #expect(script.completed == [1: .ok])
        // The repair reads once more, from the good one, and holds the range meanwhile.
        script.write(2)
        #expect(script.asked(2) == [.read] && script.asked(1) == [])
        script.answer(2, .read)
        #expect(script.asked(1) == [.write] && script.asked(2) == [])
        script.answer(1, .write)
        #expect(script.notices.contains(.repaired(OwnerScript.replica(1), block)))
        #expect(script.asked(1) == [.write] && script.asked(2) == [.write])
    }

    @Test func aRepairThatCannotBeWrittenRemovesTheReplica() {
        let script = OwnerScript(copies: 2)
        script.serve()
        script.submit(.read(block), 1)
        script.answer(1, .lease)
        script.answer(2, .lease)
        script.answer(1, .read, .ioError)
        script.answer(2, .read)
        script.answer(2, .read)
        script.answer(1, .write, .ioError)
        #expect(script.change?.purpose == .removeSilent)
        script.record()
        #expect(script.recorded.inSync.map(\.id) == [OwnerScript.replica(2)])
    }

    /// The other replica was not to be reached, and leaves: nobody is left to wait for.
    @Test func aReadThatNobodyLeftCanAnswerFails() {
        let script = OwnerScript(copies: 2)
        script.serve()
        script.submit(.read(block), 1)
        script.cut(2)
        script.answer(1, .lease)
        script.answer(1, .read, .badChecksum)
        #expect(script.completed.isEmpty)
        script.pass(.milliseconds(2001))
        script.record()
        script.answer(1, .promise)
        #expect(script.completed == [1: .ioError])
    }

    @Test func aLeaseCountsFromWhenItWasAskedFor() {
        let script = OwnerScript(copies: 1)
        script.serve()
        script.submit(.read(block), 1)
        script.answer(1, .lease)
        script.pass(.milliseconds(1999))
        script.answer(1, .read)
        #expect(script.completed == [1: .ok])
        script.submit(.read(block), 2)
        script.pass(.milliseconds(2))
        script.answer(1, .read)
        #expect(script.completed[2] == nil)
    }

    @Test func overlappingRequestsExcludeEachOther() {
        let script = OwnerScript(copies: 1)
        script.serve()
        script.submit(.read(block), 1)
        script.write(2)
        script.write(3)
        script.write(4, region: 1)
        #expect(script.asked(1) == [.lease, .read, .write])
        script.answer(1, .lease)
        script.answer(1, .read)
        // The write of region 1, then the first that waited for the read.
        #expect(script.asked(1) == [.write, .write])
        script.answer(1, .write)
        script.answer(1, .write)
        #expect(script.completed == [1: .ok, 2: .ok, 4: .ok])
        #expect(script.asked(1) == [.write])
    }

    @Test func theSessionEndsWhenTheLastReplicaLostWrites() {
        let script = OwnerScript(copies: 1)
        script.serve()
        script.write(1)
        script.answer(1, .write)
        script.cut(1)
        script.submit(.flush, 2)
        script.pass(.milliseconds(150))
        script.greet(1, boot: 2)
        #expect(script.end == .lostWrites)
        #expect(script.completed == [1: .ok, 2: .ioError])
    }

    @Test func aReplicaThatLostWritesIsSentNothingBeforeItLeft() {
        let script = OwnerScript(copies: 2)
        script.serve()
        script.cut(2)
        script.submit(.flush, 1)
        script.pass(.milliseconds(150))
        script.greet(2, boot: 2)
        #expect(script.asked(2) == [])
        #expect(script.change?.purpose == .removeSilent)
        script.answer(1, .flush)
        #expect(script.completed.isEmpty)
        script.record()
        #expect(script.completed == [1: .ok])
    }

    @Test func whatHasNoAnswerIsSentAgainOnANewLink() {
        let script = OwnerScript(copies: 2)
        script.serve()
        script.write(1)
        script.write(2, region: 2)
        script.answer(1, .write)
        script.answer(1, .write)
        script.cut(2)
        script.pass(.milliseconds(150))
        script.greet(2)
        #expect(script.asked(2) == [.promise])
        script.answer(2, .promise)
        #expect(script.asked(2) == [.write, .write])
        script.answer(2, .write)
        script.answer(2, .write)
        #expect(script.completed == [1: .ok, 2: .ok])
    }
}
