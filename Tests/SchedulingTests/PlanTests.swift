import Records
import Testing
import Units

@testable import Scheduling

@Suite struct PlanTests {
    private func removal(status: VolumeStatus?, silent: [Int: UInt64] = [:]) -> [SchedulerChange] {
        var example = volume(1, on: [2, 3]) { $0.isDeleting = true }
        example.status = status
        return plan(ClusterView(nodes: fourNodes(silent: silent), volumes: [example]))
    }

    private let removed = SchedulerChange.removeRecords(
        volumeID(1),
        [2, 3].map {
            Tombstone(
                volume: volumeID(1), replica: replicaID($0), node: nodeID($0), drive: driveID($0))
        })

    @Test func aDeletedVolumeGoesWithATombstoneForEachReplica() {
        #expect(removal(status: nil) == [removed])
        #expect(removal(status: VolumeStatus(volume: volumeID(1), node: nodeID(2))) == [removed])
    }

    @Test func aDeviceStillOfferedIsWaitedFor() {
        let attached = VolumeStatus(volume: volumeID(1), node: nodeID(2), isAttached: true)
        #expect(removal(status: attached) == [])
        #expect(removal(status: attached, silent: [2: 1]) == [removed])
    }

    @Test func anEmptyClusterNeedsNothing() {
        #expect(plan(ClusterView(nodes: [], volumes: [])) == [])
    }

    @Test func aHealthyClusterNeedsNothing() {
        let volumes = [
            volume(1, on: [2, 3], attachedTo: 2), volume(2, on: [3, 2, 4], attachedTo: 3),
        ]
        #expect(plan(ClusterView(nodes: fourNodes(), volumes: volumes)) == [])
    }

    @Test func aChangeOfAnotherVolumeLeavesARecordAlone() {
        let wanted = volume(1, on: [2, 3], attachedTo: 2).wanted
        let changes: [SchedulerChange] = [
            .setPlacement(volumeID(2), []), .park(volumeID(2), at: nodeID(1), .unowned),
            .setRebuildTo(volumeID(2), nodeID(1)), .removeRecords(volumeID(1), []),
            .setRole(nodeID(1), .sds),
        ]
        for change in changes { #expect(wanted.applying(change) == wanted) }
        #expect(wanted.applying(.setRebuildTo(volumeID(1), nodeID(4))).rebuildTo == nodeID(4))
    }
}
