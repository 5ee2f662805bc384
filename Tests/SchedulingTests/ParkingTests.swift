import Records
import Testing
import Units

@testable import Scheduling

@Suite struct ParkingTests {
    /// What is planned for volumes alone, in a cluster whose roles are in order.
    private func changes(
        _ volumes: [VolumeView], silent: [Int: UInt64] = [:]
    ) -> [SchedulerChange] {
        let view = ClusterView(nodes: fourNodes(silent: silent), volumes: volumes)
        let (changes, isStable) = view.planned()
        #expect(isStable)
        return changes.filter { if case .park = $0 { true } else { false } }
    }

    @Test func aDeadOwnersVolumeIsDetachedAndParkedAtACopyInSync() {
        let story = volume(2, on: [3, 2, 4], attachedTo: 3)
        let made = changes([story], silent: [3: 3])
        #expect(made == [.park(volumeID(2), at: nodeID(2), .failover(from: nodeID(3)))])
        let after = story.wanted.applying(made[0])
        #expect(after.attachTo == nil)
        #expect(!after.mount)
        #expect(after.wantedOwner == nodeID(2))
    }

    /// The plan was made from an older record: whoever brought the volume elsewhere keeps it.
    @Test func anOrderThatCameMeanwhileStands() {
        let story = volume(2, on: [3, 2, 4], attachedTo: 3)
        let made = changes([story], silent: [3: 3])
        var ordered = story.wanted
        ordered.attachTo = nodeID(4)
        #expect(made.count == 1 && ordered.applying(made[0]) == ordered)
        let unowned = changes([volume(1, on: [2, 3]) { $0.parkedAt = nil }])
        let attached = volume(1, on: [2, 3], attachedTo: 3).wanted
        #expect(unowned.count == 1 && attached.applying(unowned[0]) == attached)
    }

    @Test func aParkedVolumeMovesOnWhenItsOwnerDies() {
        let volumes = [volume(1, on: [2, 3], parkedAt: 2)]
        #expect(
            changes(volumes, silent: [2: 3])
                == [.park(volumeID(1), at: nodeID(3), .failover(from: nodeID(2)))])
    }

    @Test func aVolumeWithoutOwnerGetsOne() {
        let volumes = [volume(1, on: [2, 3]) { $0.parkedAt = nil }]
        #expect(changes(volumes) == [.park(volumeID(1), at: nodeID(2), .unowned)])
    }

    @Test func aLiveOwnerStaysWithOrWithoutACopy() {
        #expect(changes([volume(1, on: [2, 3], parkedAt: 1)]) == [])
        #expect(changes([volume(1, on: [2, 3], attachedTo: 3)]) == [])
    }

    @Test func anOwnerThatIsNoNodeAnyMoreIsDead() {
        #expect(
            changes([volume(1, on: [2, 3], attachedTo: 9)])
                == [.park(volumeID(1), at: nodeID(2), .failover(from: nodeID(9)))])
    }

    @Test func onlyACopyInSyncMakesAnOwner() {
        let volumes = [
            volume(1, on: [3, 2, 4], has: [copy(3), copy(2, .stale), copy(4)], parkedAt: 3)
        ]
        #expect(
            changes(volumes, silent: [3: 3])
                == [.park(volumeID(1), at: nodeID(4), .failover(from: nodeID(3)))])
    }

    @Test func withoutALiveCopyInSyncTheVolumeWaits() {
        let volumes = [volume(1, on: [3, 2], has: [copy(3), copy(2, .stale)], attachedTo: 3)]
        #expect(changes(volumes, silent: [3: 3]) == [])
    }

    @Test func volumesBeingDeletedAreLeftAlone() {
        let deleting = volume(1, on: [3, 2], parkedAt: 3) { $0.isDeleting = true }
        #expect(changes([deleting], silent: [3: 3]) == [])
    }

    @Test func aDeadNodesVolumesAreSpread() {
        let volumes =
            [volume(1, on: [4, 2], parkedAt: 4)]
            + (2...5).map { volume($0, on: [3, 2, 4], attachedTo: 3) }
        let targets = changes(volumes, silent: [3: 3]).map {
            if case .park(_, at: let node, _) = $0 { node } else { NodeID.zero }
        }
        #expect(targets == [2, 2, 4, 2].map(nodeID))
    }

    @Test func aCordonedNodeIsTheLastChoice() {
        var nodes = fourNodes(silent: [3: 3])
        nodes[1].record.duty = .cordoned
        let both = ClusterView(nodes: nodes, volumes: [volume(1, on: [3, 2, 4], attachedTo: 3)])
        #expect(
            plan(both) == [.park(volumeID(1), at: nodeID(4), .failover(from: nodeID(3)))])
        let one = ClusterView(nodes: nodes, volumes: [volume(1, on: [3, 2], attachedTo: 3)])
        #expect(plan(one) == [.park(volumeID(1), at: nodeID(2), .failover(from: nodeID(3)))])
    }
}
