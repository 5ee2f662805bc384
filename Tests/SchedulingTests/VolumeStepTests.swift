import Records
import Testing
import Units

@testable import Scheduling

@Suite struct VolumeStepTests {
    private static let new = replicaID(99)

    struct Case: Sendable, CustomTestStringConvertible {
        var testDescription: String
        var placement: [Int]
        var replicas: [ReplicaRecord]
        var alive = [1, 2, 3, 4]
        var rebuilding: Int?
        var failed: [Int] = []
        var isDeleting = false
        var copies: Int?
        var step: VolumeStep
    }

    static let cases: [Case] = [
        Case(
            testDescription: "all as it should be", placement: [2, 3],
            replicas: [copy(2), copy(3)], step: .nothing),
        Case(
            testDescription: "a new place is recorded first", placement: [2, 1],
            replicas: [copy(2), copy(3)], step: .add(copy(1, .stale, id: 99))),
        Case(
            testDescription: "a new place on a dead node waits", placement: [2, 1],
            replicas: [copy(2), copy(3, .stale)], alive: [2], step: .nothing),
        Case(
            testDescription: "a new place is recorded during a rebuild too", placement: [2, 1, 4],
            replicas: [copy(2), copy(1, .stale)], rebuilding: 1,
            step: .add(copy(4, .stale, id: 99))),
        Case(
            testDescription: "a full record takes no more", placement: [2, 9],
            replicas: [copy(2), copy(1, .stale, id: 10)]
                + (11...16).map { copy(3, .stale, id: $0) },
            alive: [1, 2, 9], step: .rebuild(replicaID(10))),
        Case(
            testDescription: "another drive is another place", placement: [2, 1],
            replicas: [copy(2), copy(1, drive: 1)], step: .add(copy(1, .stale, id: 99))),
        Case(
            testDescription: "a stale copy in its place is rebuilt", placement: [2, 3],
            replicas: [copy(2), copy(3, .stale)], step: .rebuild(replicaID(3))),
        Case(
            testDescription: "one rebuild at a time", placement: [2, 3, 4],
            replicas: [copy(2), copy(3, .stale), copy(4, .stale)], rebuilding: 4, step: .nothing),
        Case(
            testDescription: "a dead node's copy is waited for", placement: [2, 3],
            replicas: [copy(2), copy(3, .stale)], alive: [2], step: .nothing),
        Case(
            testDescription: "the older record first: a delta may do", placement: [2, 1],
            replicas: [copy(2), copy(3, .stale), copy(1, .stale)], step: .rebuild(replicaID(3))),
        Case(
            testDescription: "a void one later", placement: [2, 3, 4],
            replicas: [copy(2), copy(3, .stale, isVoid: true), copy(4, .stale)],
            step: .rebuild(replicaID(4))),
        Case(
            testDescription: "one that failed later still", placement: [2, 3, 4],
            replicas: [copy(2), copy(3, .stale, isVoid: true), copy(4, .stale)], failed: [4],
            step: .rebuild(replicaID(3))),
        Case(
            testDescription: "one that failed again if there is no other", placement: [2, 3],
            replicas: [copy(2), copy(3, .stale)], failed: [3], step: .rebuild(replicaID(3))),
        Case(
            testDescription: "a copy given up is not rebuilt when enough are in sync",
            placement: [2, 1, 4],
            replicas: [copy(2), copy(3, .stale), copy(1), copy(4)],
            step: .free(replicaID(3), copiesWanted: 3)),
        Case(
            testDescription: "a surplus copy is freed when all places are in sync",
            placement: [1, 2], replicas: [copy(2), copy(3), copy(1)],
            step: .free(replicaID(3), copiesWanted: 2)),
        Case(
            testDescription: "not while a place still waits for its copy", placement: [1, 2],
            replicas: [copy(2), copy(3), copy(4), copy(1, .stale)], rebuilding: 1, step: .nothing),
        Case(
            testDescription: "nor with too few without it", placement: [1, 2],
            replicas: [copy(2), copy(3)], alive: [2, 3], step: .nothing),
        Case(
            testDescription: "a dead node's copy in sync does not count", placement: [1, 2],
            replicas: [copy(1), copy(2), copy(3)], alive: [1, 3], step: .nothing),
        Case(
            testDescription: "two drives of one node count once", placement: [1, 2],
            replicas: [copy(1), copy(1, id: 10, drive: 1), copy(3), copy(2, .stale)],
            alive: [1, 3], step: .free(replicaID(10), copiesWanted: 2)),
        Case(
            testDescription: "a dead place holds nothing up", placement: [2, 3],
            replicas: [copy(2), copy(4), copy(1), copy(3, .stale)], alive: [1, 2, 4],
            step: .free(replicaID(4), copiesWanted: 2)),
        Case(
            testDescription: "stale ones go first, dead nodes' too", placement: [1, 2],
            replicas: [copy(4), copy(3, .stale), copy(1), copy(2)], alive: [1, 2, 4],
            step: .free(replicaID(3), copiesWanted: 2)),
        Case(
            testDescription: "not the one being rebuilt", placement: [1, 2],
            replicas: [copy(3, .stale), copy(4), copy(1), copy(2)], rebuilding: 3,
            step: .free(replicaID(4), copiesWanted: 2)),
        Case(
            testDescription: "the last copy is never freed", placement: [],
            replicas: [copy(3)], copies: 0, step: .nothing),
        Case(
            testDescription: "nothing for a volume being deleted", placement: [2, 1],
            replicas: [copy(2), copy(3)], isDeleting: true, step: .nothing),
    ]

    @Test(arguments: cases) func step(_ example: Case) {
        let view = volume(
            1, on: example.placement, copies: example.copies, has: example.replicas
        ) { $0.isDeleting = example.isDeleting }
        let step = volumeStep(
            config: view.configuration, wanted: view.wanted, aliveNodes: example.alive.map(nodeID),
            rebuildInProgress: example.rebuilding.map(replicaID), newReplicaID: Self.new,
            recentlyFailed: example.failed.map(replicaID))
        #expect(step == example.step)
    }
}
