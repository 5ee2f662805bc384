import Records
import Testing
import Units
import WireFormat

@testable import Replication

/// The order in which a replica does things: rules 5, 6, 7 and 10.
@Suite struct ReplicaRulesTests {
    private let write = ReplicaRequest(
        .write, id: 7, epoch: 5, generation: 1, range: ByteRange(offset: 0, length: 4096))

    @Test func dataIsWrittenAfterItsMarkIsDurable() {
        let script = ReplicaScript()
        script.promise(5, by: 1, on: 1)
        script.ask(write, on: 1)
        #expect(script.performing.isEmpty && script.pages == [0])
        script.writePages()
        #expect(script.performing.count == 1)
        #expect(script.stamp(0) == Stamp(5, 1))
    }

    @Test func aPromiseIsAnsweredWhenItIsDurable() {
        let script = ReplicaScript()
        script.ask(ReplicaRequest(.promise, id: 1, epoch: 5), by: 1, on: 1)
        #expect(script.replies.isEmpty)
        script.writeStates()
        #expect(script.replies.map(\.status) == [.ok])
        #expect(script.durable.promised == 5)
    }

    @Test func aPromiseWaitsForRequestsAcceptedBeforeIt() {
        let script = ReplicaScript()
        script.promise(5, by: 1, on: 1)
        script.ask(write, on: 1)
        script.writePages()
        script.replies = []
        script.promise(6, by: 2, on: 2)
        #expect(script.replies.isEmpty)
        script.performAll()
        #expect(script.replies.map(\.kind) == [.write, .promise])
    }

    @Test func aPromiseWaitsForTheLeaseOfAnotherOwner() {
        let script = ReplicaScript()
        script.promise(5, by: 1, on: 1)
        script.ask(ReplicaRequest(.lease, id: 2, epoch: 5), on: 1)
        script.replies = []
        script.promise(6, by: 2, on: 2)
        script.pass(ReplicaScript.timing.lease)
        // The drift margin is not over yet.
        #expect(script.replies.isEmpty)
        script.pass(.milliseconds(21))
        #expect(script.replies.map(\.kind) == [.promise])
    }

    @Test func aLeaseGivenBackIsNotWaitedFor() {
        let script = ReplicaScript()
        script.promise(5, by: 1, on: 1)
        script.ask(ReplicaRequest(.lease, id: 2, epoch: 5), on: 1)
        script.ask(ReplicaRequest(.giveLeaseBack, id: 3, epoch: 5), on: 1)
        script.replies = []
        script.promise(6, by: 2, on: 2)
        #expect(script.replies.map(\.kind) == [.promise])
    }

    @Test func aRestartedReplicaAssumesThatItGaveALease() {
        var state = ReplicaState()
        state.promised = 5
        state.promisedTo = Identifier(high: 1, low: 1)
        let script = ReplicaScript(state: state)
        script.promise(6, by: 2, on: 2)
        #expect(script.replies.isEmpty)
        script.pass(.milliseconds(2021))
        #expect(script.replies.map(\.status) == [.ok])
    }

    @Test func aNewLinkIsGreetedWhenTheOldOnesRequestsHaveEnded() {
        let script = ReplicaScript()
        script.promise(5, by: 1, on: 1)
        script.ask(write, on: 1)
        script.writePages()
        script.machine.connected(2, instance: Identifier(high: 1, low: 1), now: script.now)
        script.drain()
        #expect(script.closed == [1] && script.greeted == [1])
        script.performAll()
        #expect(script.greeted == [1, 2])
        // The answer has nowhere to go: the owner asks again on the new link.
        #expect(script.replies.map(\.kind) == [.promise])
    }

    @Test func aReplicaIsIntactFromWholeUntilTheMachineBoots() {
        let script = ReplicaScript(boot: 1)
        script.promise(5, by: 1, on: 1)
        #expect(!script.isIntact)
        script.ask(ReplicaRequest(.whole, id: 3, epoch: 5), on: 1)
        script.writeStates()
        #expect(script.isIntact)
        #expect(ReplicaScript(state: script.durable, boot: 1).isIntact)
        #expect(!ReplicaScript(state: script.durable, boot: 2).isIntact)
    }

    @Test func afterAFailedFlushEverythingIsAnError() {
        let script = ReplicaScript()
        script.promise(5, by: 1, on: 1)
        script.ask(ReplicaRequest(.flush, id: 4, epoch: 5), on: 1)
        script.machine.performed(script.performing.removeFirst(), .ioError, now: script.now)
        script.drain()
        script.replies = []
        script.ask(ReplicaRequest(.flush, id: 5, epoch: 5), on: 1)
        #expect(script.replies.map(\.status) == [.ioError])
        #expect(script.isFaulty && !script.isIntact)
    }
}
