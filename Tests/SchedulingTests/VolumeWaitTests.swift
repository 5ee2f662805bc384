import Records
import Testing
import Units

@testable import Scheduling

@Suite struct VolumeWaitTests {
    private func wait(_ volume: VolumeView, silent: [Int: UInt64] = [:]) -> VolumeWait? {
        describeWait(
            config: volume.configuration, wanted: volume.wanted, nodes: fourNodes(silent: silent))
    }

    @Test func aVolumeWithALiveOwnerAndCopyWaitsForNothing() {
        #expect(wait(volume(1, on: [2, 3])) == nil)
        #expect(wait(volume(1, on: [2, 3], parkedAt: 3), silent: [2: 1]) == nil)
        #expect(wait(volume(1, on: [2, 3]) { $0.isDeleting = true }, silent: [2: 1, 3: 1]) == nil)
    }

    @Test func theLastCopiesAreNamed() {
        let all = volume(1, on: [4, 2, 3], has: [copy(4), copy(2), copy(3, .stale)])
        #expect(
            wait(all, silent: [2: 1, 4: 1])
                == VolumeWait(
                    what: "node v2 or v4 with the last copies", endsWith: "node v2 or v4 is back"))
        let one = volume(1, on: [2, 3], has: [copy(2), copy(3, .stale)])
        #expect(
            wait(one, silent: [2: 1])
                == VolumeWait(what: "node v2 with the last copy", endsWith: "node v2 is back"))
        #expect(
            wait(volume(1, on: [1, 9, 2]), silent: [1: 1, 2: 1])?.what
                == "node v1, v2 or 00000000 with the last copies")
    }

    @Test func ownersToBeNamed() {
        #expect(wait(volume(1, on: [2, 3]) { $0.parkedAt = nil })?.what == "an owner")
        #expect(
            wait(volume(1, on: [2, 3]), silent: [2: 1])?.what
                == "a new owner in place of node v2")
    }

    @Test func noCopyInSyncIsAnOperatorsMatter() {
        let wait = wait(volume(1, on: [2, 3], has: [copy(2, .stale)]))
        #expect(wait?.endsWith == "an operator accepts loss")
    }

    @Test func whatARunningOwnerWaitsFor() {
        #expect(describeWait(OwnerWait.nothing) == nil)
        #expect(describeWait(OwnerWait.record)?.endsWith == "it answers")
        #expect(describeWait(OwnerWait.promises(1))?.what == "the promise of 1 copy")
        #expect(describeWait(OwnerWait.promises(2))?.what == "the promises of 2 copies")
        #expect(describeWait(OwnerWait.reconciliation(1))?.what == "1 region to be made equal")
        #expect(describeWait(OwnerWait.reconciliation(7))?.what == "7 regions to be made equal")
    }

    // MARK: Shortage

    private func shortage(_ volume: VolumeView, _ nodes: [NodeView]) -> VolumeWait? {
        describeShortage(config: volume.configuration, wanted: volume.wanted, nodes: nodes)
    }

    @Test func aShortageThatNobodyCanMendIsExplained() {
        let nodes = [node(1), node(2, silentFor: 99), node(3, duty: .cordoned)]
        #expect(
            shortage(volume(1, on: [1, 2], has: [copy(1), copy(2, .stale)]), nodes)
                == VolumeWait(
                    what: "a node for copy 2 of 2: v2 is unreachable, v3 is cordoned",
                    endsWith: "node v2 is back or another node can take one"))
        #expect(
            shortage(volume(1, on: [1], copies: 2), [node(1)])
                == VolumeWait(
                    what: "a node for copy 2 of 2", endsWith: "another node can take one"))
    }

    @Test func whatIsOnItsWayIsNoShortage() {
        let away = fourNodes(silent: [3: 1])
        #expect(shortage(volume(1, on: [2, 3]), fourNodes()) == nil)
        #expect(shortage(volume(1, on: [2, 3], has: [copy(2), copy(3, .stale)]), away) == nil)
        #expect(shortage(volume(1, on: [2, 4], has: [copy(2)]), [node(2), node(4)]) == nil)
        let unserved = volume(1, on: [3, 2], has: [copy(3)])
        #expect(shortage(unserved, [node(2), node(3, silentFor: 9)]) == nil)
    }
}
