import Records
import Testing
import Units

@testable import Scheduling

@Suite struct PlacementPlannerTests {
    /// The placements that are planned, by volume number, in a cluster of four.
    private func placements(
        _ volumes: [VolumeView], silent: [Int: UInt64] = [:], nodes: [NodeView]? = nil,
        settings: SchedulerSettings = SchedulerSettings()
    ) -> [Int: [Place]] {
        let view = ClusterView(
            nodes: nodes ?? fourNodes(silent: silent), volumes: volumes, settings: settings)
        let (changes, isStable) = view.planned()
        #expect(isStable)
        var result: [Int: [Place]] = [:]
        for case .setPlacement(let id, let places) in changes { result[Int(id.low)] = places }
        return result
    }

    // MARK: Replacement

    @Test func aSilentNodeIsWaitedForUntilTheDelayHasPassed() {
        let volumes = [volume(1, on: [2, 3])]
        #expect(placements(volumes, silent: [3: 29]) == [:])
        #expect(placements(volumes, silent: [3: 30]) == [1: [at(2), at(4)]])
    }

    @Test func withoutASpareNodeNothingChanges() {
        #expect(placements([volume(1, on: [1, 2, 3])], silent: [3: 99, 4: 5]) == [:])
    }

    @Test func aFixedPlacementIsLeftForALostNodeOnly() {
        let fixed = volume(1, on: [2, 3]) { $0.placementIsFixed = true }
        #expect(placements([fixed], silent: [3: 29]) == [:])
        #expect(placements([fixed], silent: [3: 30]) == [1: [at(2), at(4)]])
    }

    @Test func aVolumeWithoutALiveCopyInSyncKeepsItsPlacement() {
        let volumes = [volume(1, on: [2, 3], has: [copy(2, .stale), copy(3)])]
        #expect(placements(volumes, silent: [3: 99]) == [:])
    }

    @Test func aFaultyDriveIsReplacedAtOnceByTheSameNodesOtherOne() {
        var nodes = fourNodes()
        nodes[2] = node(3, .backup2, drives: [drive(3, status: .faulty), drive(3, 1)])
        nodes[3] = node(4, drives: [])
        nodes[0] = node(1, .sds, drives: [])
        #expect(
            placements([volume(1, on: [2, 3])], nodes: nodes) == [1: [at(2), at(3, drive: 1)]])
    }

    @Test func aRemovedNodeIsLost() {
        #expect(placements([volume(1, on: [2, 9])]) == [1: [at(2), at(4)]])
    }

    @Test func aStaleCopyThatLiesThereAlreadyIsTakenUpAgain() {
        let volumes = [volume(1, on: [2, 3], has: [copy(2), copy(3), copy(1, .stale)])]
        #expect(placements(volumes, silent: [3: 30]) == [1: [at(2), at(1)]])
    }

    @Test func aVolumeWithFewerChoicesGoesFirst() {
        // vol2 can go to v1 only; vol1 could too, and takes v4 then.
        let volumes = [volume(1, on: [2, 3]), volume(2, on: [3, 2, 4])]
        #expect(
            placements(volumes, silent: [3: 30]) == [1: [at(2), at(4)], 2: [at(1), at(2), at(4)]])
    }

    @Test func aNodeIsNotGivenMoreThanItsShareOfRebuilds() {
        let volumes = (1...7).map { volume($0, on: [2, 3]) }
        let made = placements(
            volumes, silent: [3: 30], settings: SchedulerSettings(rebuildsPerNodeMax: 3))
        #expect(made.count == 6)
        #expect(made.values.count { $0.contains(at(1)) } == 3)
        #expect(made.values.count { $0.contains(at(4)) } == 3)
    }

    @Test func copiesThatWaitWithoutASourceKeepNobodyElseWaiting() {
        let settings = SchedulerSettings(rebuildsPerNodeMax: 1)
        let nodes = fourNodes(silent: [3: 99])
        let waiting = volume(1, on: [4, 3], has: [copy(3), copy(4, .stale)])
        let other = volume(2, on: [1, 2], has: [copy(1)], attachedTo: nil)
        let lost = volume(3, on: [1, 3])
        let made = placements([waiting, other, lost], nodes: nodes, settings: settings)
        #expect(made == [3: [at(1), at(4)]])
    }

    @Test func aCopyThatIsWholeIsTakenInPlaceOfOneStillToBeMade() {
        // v3 was given up for v4, and was back and whole first.
        let volumes = [volume(1, on: [2, 4], has: [copy(2), copy(3), copy(4, .stale)])]
        #expect(placements(volumes) == [1: [at(2), at(3)]])
    }

    @Test func aCopyGivenUpKeepsItsRoomUntilItIsFreed() {
        var nodes = fourNodes(silent: [3: 30])
        for index in nodes.indices { nodes[index].record.drives = [drive(index + 1, total: 40)] }
        let thick = { (volume: inout WantedVolume) in volume.provision = .thick }
        var used = volume(1, on: [2, 4], attachedTo: 1, gigabytes: 20, change: thick)
        let lost = volume(2, on: [2, 3], gigabytes: 20, change: thick)
        #expect(placements([used, lost], nodes: nodes) == [1: [at(1), at(2)]])
        used.wanted.placement = [at(1), at(2)]
        used.configuration.replicas = [copy(1), copy(2)]
        #expect(placements([used, lost], nodes: nodes) == [2: [at(2), at(4)]])
    }

    // MARK: Number of copies

    @Test func missingPlacesAreFilled() {
        #expect(placements([volume(1, on: [2], copies: 2)]) == [1: [at(2), at(4)]])
        #expect(placements([volume(1, on: [1, 2], copies: 3)], silent: [3: 1, 4: 1]) == [:])
    }

    @Test func placesTooManyAreDroppedTheOwnersLast() {
        #expect(
            placements([volume(1, on: [2, 3, 4], copies: 2, attachedTo: 4)])
                == [1: [at(2), at(4)]])
        let stale = volume(1, on: [2, 3, 4], copies: 2, has: [copy(2), copy(3, .stale), copy(4)])
        #expect(placements([stale]) == [1: [at(2), at(4)]])
    }

    // MARK: Locality

    @Test func theNodeThatUsesAVolumeGetsACopy() {
        #expect(placements([volume(1, on: [2, 3], attachedTo: 1)]) == [1: [at(1), at(2)]])
    }

    @Test func aParkedVolumeStaysWhereItsCopiesAre() {
        #expect(placements([volume(1, on: [2, 3], parkedAt: 1)]) == [:])
    }

    @Test func localityReplacesADeadCopyFirst() {
        let story = volume(2, on: [3, 2, 4], attachedTo: 1) { $0.placementIsFixed = true }
        #expect(placements([story], silent: [3: 4]) == [2: [at(1), at(2), at(4)]])
    }

    @Test func aFixedPlacementFollowsAnExplicitAttachment() {
        let story = volume(1, on: [2, 4], attachedTo: 1) { $0.placementIsFixed = true }
        #expect(placements([story], silent: [3: 40]) == [1: [at(1), at(2)]])
    }

    /// The story of the quickstart: v3 dies with both volumes' copies, one is used on v1.
    @Test func aLostCopyLeavesTheNodeThatANeighbourNeeds() {
        let portainer = volume(1, on: [2, 3], attachedTo: 2, gigabytes: 20) {
            $0.placementIsFixed = true
        }
        let early = volume(2, on: [1, 2, 4], has: [copy(3), copy(2), copy(4)], attachedTo: 1)
        #expect(placements([portainer, early], silent: [3: 30])[1] == [at(2), at(4)])
        let late = volume(2, on: [3, 2, 4], parkedAt: 2)
        #expect(
            placements([portainer, late], silent: [3: 30])
                == [1: [at(2), at(4)], 2: [at(1), at(2), at(4)]])
    }

    @Test(arguments: [
        node(1, .sds, duty: .cordoned), node(1, .sds, duty: .leaving), node(1, .sds, drives: []),
        node(1, .sds, drives: [drive(1, free: 1)]), node(1, .sds, drives: [drive(1, type: .hdd)]),
    ])
    func aNodeThatMayNotHoldACopyUsesItFromAfar(user: NodeView) {
        let nodes = [user] + fourNodes().dropFirst()
        #expect(placements([volume(1, on: [2, 3], attachedTo: 1)], nodes: nodes) == [:])
    }

    @Test func localityWaitsForItsTurnAtABusyNode() {
        let settings = SchedulerSettings(rebuildsPerNodeMax: 1)
        let volumes = (1...3).map { volume($0, on: [2, 3], attachedTo: 1) }
        #expect(placements(volumes, settings: settings).count == 1)
    }

    @Test func theOnlyCopyFollowsItsUser() {
        #expect(placements([volume(1, on: [2], attachedTo: 1)]) == [1: [at(1)]])
    }

    // MARK: Operator's target

    private func targets(_ volume: VolumeView) -> [SchedulerChange] {
        let (changes, isStable) = ClusterView(nodes: fourNodes(), volumes: [volume]).planned()
        #expect(isStable)
        return changes
    }

    @Test func anOperatorsTargetGetsACopyAndIsForgottenWhenItIsWhole() {
        var example = volume(1, on: [2, 3], attachedTo: 2, rebuildTo: 4)
        #expect(targets(example) == [.setPlacement(volumeID(1), [at(4), at(2)])])
        example.wanted.placement = [at(4), at(2)]
        example.configuration.replicas.append(copy(4, .stale))
        #expect(targets(example) == [])
        example.configuration.replicas[2].state = .inSync
        #expect(targets(example) == [.setRebuildTo(volumeID(1), nil)])
    }

    @Test func aTargetThatIsNoNodeOrHoldsACopyIsForgotten() {
        #expect(
            targets(volume(1, on: [2, 3], rebuildTo: 9)) == [.setRebuildTo(volumeID(1), nil)])
        #expect(
            targets(volume(1, on: [2, 3], rebuildTo: 3)) == [.setRebuildTo(volumeID(1), nil)])
    }

    @Test func theOnlyCopyStaysWithItsUser() {
        #expect(
            targets(volume(1, on: [2], attachedTo: 2, rebuildTo: 3))
                == [.setRebuildTo(volumeID(1), nil)])
        #expect(
            targets(volume(1, on: [2], rebuildTo: 3)) == [.setPlacement(volumeID(1), [at(3)])])
    }

    @Test func userAndTargetBothGetACopy() {
        #expect(
            targets(volume(1, on: [2, 3], attachedTo: 1, rebuildTo: 4))
                == [.setPlacement(volumeID(1), [at(4), at(1)])])
    }
}
