import Records
import Testing
import Units

@testable import Scheduling

@Suite struct SurvivalTests {
    private func problems(_ nodes: [NodeView], _ volumes: [VolumeView]) -> [String] {
        let report = survivesLossOfAnyNode(ClusterView(nodes: nodes, volumes: volumes))
        #expect(report.survives == report.problems.isEmpty)
        return report.problems.map(\.description)
    }

    private func nodes(_ count: Int, total: UInt64 = 1000, free: UInt64 = 100) -> [NodeView] {
        (1...count).map { node($0, drives: [drive($0, total: total, free: free)]) }
    }

    @Test func aClusterWithRoomSurvivesAnyLoss() {
        #expect(problems(nodes(3), [volume(1, on: [1, 2]), volume(2, on: [2, 3])]) == [])
        #expect(problems(nodes(3), []) == [])
    }

    @Test func withAsManyNodesAsCopiesNoneIsLeft() {
        #expect(
            problems(nodes(2), [volume(1, on: [1, 2])]) == [
                "node v1: no other node can take the copy of vol1",
                "node v2: no other node can take the copy of vol1",
            ])
    }

    @Test func spaceIsDealtOutAndTheReserveKept() {
        // 4 GB of each drive's 100 are kept, so that 96 can be given: nine volumes of 10 GB.
        let fitting = (1...9).map { volume($0, on: [1, 2]) }
        #expect(problems(nodes(3), fitting) == [])
        let tooMany = (1...13).map { volume($0, on: [1, 2]) }
        #expect(
            problems(nodes(3), tooMany).first
                == "node v1: no space elsewhere for the copy of vol10, vol11, vol12 and 1 more")
    }

    @Test func aCopyTakesWhatIsAllocatedUnlessItIsThick() {
        var example = volume(1, on: [1, 2], gigabytes: 500)
        #expect(problems(nodes(3), [example]).count == 2)
        example.allocated = ByteCount(gigabytes: 1)
        #expect(problems(nodes(3), [example]) == [])
        example.wanted.provision = .thick
        #expect(problems(nodes(3), [example]).count == 2)
    }

    @Test func copiesStillToBeMadeTakeTheirSpaceFirst() {
        let pending = volume(1, on: [1, 3], has: [copy(1)], gigabytes: 90)
        let other = volume(2, on: [1, 2])
        #expect(
            problems(nodes(3), [pending, other]) == [
                "node v1: holds the last copy of vol1; no space elsewhere for the copy of vol2",
                "node v2: no space elsewhere for the copy of vol2",
            ])
    }

    @Test func lastCopiesAreNamed() {
        let single = volume(1, on: [2])
        #expect(problems(nodes(3), [single]) == ["node v2: holds the last copy of vol1"])
        let stale = volume(1, on: [1, 2], has: [copy(1), copy(2, .stale)])
        #expect(problems(nodes(3), [stale]) == ["node v1: holds the last copy of vol1"])
    }

    @Test func deadCordonedAndFaultyOnesGiveNoRoom() {
        let others = [
            node(3, silentFor: 9), node(4, duty: .cordoned),
            node(5, drives: [drive(5, status: .faulty)]), node(6, drives: [drive(6, type: .hdd)]),
        ]
        #expect(problems(nodes(2) + others, [volume(1, on: [1, 2])]).count == 2)
    }
}
