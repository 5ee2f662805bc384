import Records
import Testing
import Units

@testable import Scheduling

@Suite struct PlacingTests {
    private let size = ByteCount(gigabytes: 20)

    private func places(
        _ copies: Int, owner: Int? = nil, _ nodes: [NodeView], _ volumes: [VolumeView] = [],
        type: WantedVolume.DriveType = .ssd, provision: WantedVolume.Provision = .thin
    ) -> Result<[Place], PlacementError> {
        place(
            copies: copies, size: size, type: type, ownerNode: owner.map(nodeID), nodes: nodes,
            provisioned: Provisioning(volumes), provision: provision)
    }

    @Test func theOwnersNodeComesFirst() {
        #expect(places(2, owner: 3, (1...4).map { node($0) }) == .success([at(3), at(1)]))
    }

    @Test func anOwnerWithoutADriveHoldsNoCopy() {
        let nodes = [node(1), node(2), node(3, drives: [])]
        #expect(places(2, owner: 3, nodes) == .success([at(1), at(2)]))
    }

    @Test func nodesThatVolumesAskedLeastOfComeFirst() {
        let volumes = [volume(1, on: [1, 2]), volume(2, on: [1, 3])]
        #expect(places(3, (1...4).map { node($0) }, volumes) == .success([at(4), at(2), at(3)]))
    }

    @Test func theShareOfADriveCountsAndNotItsSize() {
        let nodes = [
            node(1, drives: [drive(1, total: 100)]), node(2, drives: [drive(2, total: 10_000)]),
        ]
        let volumes = [volume(1, on: [1], gigabytes: 10), volume(2, on: [2], gigabytes: 500)]
        #expect(places(1, nodes, volumes) == .success([at(2)]))
    }

    @Test func fullerDrivesComeLater() {
        let nodes = [
            node(1, drives: [drive(1, free: 250)]), node(2, drives: [drive(2, free: 150)]),
            node(3, drives: [drive(3, free: 310)]), node(4, drives: [drive(4, free: 90)]),
        ]
        #expect(places(3, nodes) == .success([at(3), at(1), at(2)]))
    }

    @Test func votersComeLaterAllElseBeingEqual() {
        #expect(places(2, fourNodes()) == .success([at(4), at(1)]))
    }

    @Test func theBestDriveOfANodeIsTaken() {
        let drives = [
            drive(1, 0, type: .hdd), drive(1, 1, status: .faulty), drive(1, 2, free: 50),
            drive(1, 3),
        ]
        #expect(places(1, [node(1, drives: drives)]) == .success([at(1, drive: 3)]))
        #expect(places(1, [node(1, drives: drives)], type: .hdd) == .success([at(1)]))
    }

    @Test func thinVolumesMayPromiseMoreThanThereIs() {
        let nodes = [node(1, drives: [drive(1, total: 30, free: 10)])]
        #expect(places(1, nodes) == .success([at(1)]))
    }

    @Test func thickVolumesNeedTheirSpaceBesideWhatIsPromised() {
        let nodes = [node(1, drives: [drive(1, total: 40)])]
        #expect(places(1, nodes, provision: .thick) == .success([at(1)]))
        let refusal = PlacementError.NodeRefusal(
            node: nodeID(1), name: "v1", reason: .noSpace(size))
        #expect(
            places(1, nodes, [volume(1, on: [1], gigabytes: 19)], provision: .thick)
                == .failure(.tooFewNodes(copies: 1, able: 0, refusals: [refusal])))
    }

    @Test func aVolumeOfTheLargestSizeOverflowsNothing() {
        let nodes = [node(1, drives: [drive(1, total: 1)])]
        let result = place(
            copies: 1, size: ByteCount(.max), type: .ssd, ownerNode: nil, nodes: nodes,
            provisioned: Provisioning([volume(1, on: [1]) { $0.size = ByteCount(.max) }]),
            provision: .thick)
        let refusal = PlacementError.NodeRefusal(
            node: nodeID(1), name: "v1", reason: .noSpace(ByteCount(.max)))
        #expect(result == .failure(.tooFewNodes(copies: 1, able: 0, refusals: [refusal])))
    }

    @Test func tooFewNodesAreEachNamedWithTheirReason() {
        let nodes = [
            node(1), node(2, silentFor: 1), node(3, duty: .cordoned), node(4, duty: .leaving),
            node(5, drives: []), node(6, drives: [drive(6, status: .faulty)]),
            node(7, drives: [drive(7, free: 1)]),
        ]
        guard case .failure(let error) = places(3, nodes) else {
            Issue.record("three copies on one node")
            return
        }
        #expect(
            error.description == "3 copies need as many nodes, and only 1 node can take one: "
                + "v2 is unreachable, v3 is cordoned, v4 is leaving, v5 has no ssd drive, "
                + "v6 has faulty drives only, v7 has full drives only")
    }

    @Test(arguments: [-1, 0, 4]) func copiesAreOneToThree(count: Int) {
        #expect(places(count, fourNodes()) == .failure(.badCopies(count)))
    }

    // MARK: On named nodes

    private func places(on named: [Int], _ nodes: [NodeView]) -> Result<[Place], PlacementError> {
        place(
            copiesOn: named.map(nodeID), size: size, type: .ssd, nodes: nodes,
            provisioned: Provisioning())
    }

    @Test func namedNodesKeepTheirOrder() {
        #expect(places(on: [3, 2, 4], fourNodes()) == .success([at(3), at(2), at(4)]))
    }

    @Test func namedNodesAreRefusedWithTheReason() {
        #expect(places(on: [], fourNodes()) == .failure(.badCopies(0)))
        #expect(places(on: [1, 2, 3, 4], fourNodes()) == .failure(.badCopies(4)))
        #expect(places(on: [2, 9], fourNodes()) == .failure(.unknownNode(nodeID(9))))
        #expect(places(on: [2, 2], fourNodes()) == .failure(.repeatedNode(name: "v2")))
        let refusal = PlacementError.NodeRefusal(node: nodeID(3), name: "v3", reason: .unreachable)
        #expect(
            places(on: [2, 3], fourNodes(silent: [3: 1])) == .failure(.nodeRefuses(refusal)))
        #expect(PlacementError.nodeRefuses(refusal).description == "node v3 is unreachable")
    }
}
