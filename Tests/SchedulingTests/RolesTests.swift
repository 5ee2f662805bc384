import Records
import Testing
import Units

@testable import Scheduling

@Suite struct RolesTests {
    /// A node's role and for how many seconds it has been silent.
    struct Member: Sendable {
        var role: NodeRecord.Role
        var silent: UInt64?
        init(_ role: NodeRecord.Role, _ silent: UInt64? = nil) {
            self.role = role
            self.silent = silent
        }
    }

    struct Case: Sendable, CustomTestStringConvertible {
        var testDescription: String
        var before: [Member]
        var after: [NodeRecord.Role]
    }

    static let cases: [Case] = [
        Case(
            testDescription: "the first three by number are the voters",
            before: [.init(.standard), .init(.standard), .init(.standard), .init(.standard)],
            after: [.sds, .backup1, .backup2, .standard]),
        Case(
            testDescription: "one node leads alone", before: [.init(.standard)], after: [.sds]),
        Case(
            testDescription: "a fourth node changes nothing",
            before: [.init(.sds), .init(.backup1), .init(.backup2), .init(.standard)],
            after: [.sds, .backup1, .backup2, .standard]),
        Case(
            testDescription: "a dead sds goes to the end of the line at once",
            before: [.init(.sds, 4), .init(.backup1), .init(.backup2), .init(.standard)],
            after: [.backup2, .sds, .backup1, .standard]),
        Case(
            testDescription: "a dead backup keeps its role at first",
            before: [.init(.sds), .init(.backup1, 59), .init(.backup2), .init(.standard)],
            after: [.sds, .backup1, .backup2, .standard]),
        Case(
            testDescription: "a live standard node takes a role over after the delay",
            before: [.init(.sds), .init(.backup1, 60), .init(.backup2), .init(.standard)],
            after: [.sds, .standard, .backup2, .backup1]),
        Case(
            testDescription: "without another node a dead backup keeps its role for good",
            before: [.init(.sds), .init(.backup1), .init(.backup2, 9999)],
            after: [.sds, .backup1, .backup2]),
        Case(
            testDescription: "backup2 leads when those before it are dead",
            before: [.init(.sds, 4), .init(.backup1, 4), .init(.backup2), .init(.standard)],
            after: [.backup2, .backup1, .sds, .standard]),
        Case(
            testDescription: "with all voters dead a standard node leads",
            before: [.init(.sds, 4), .init(.backup1, 4), .init(.backup2, 4), .init(.standard)],
            after: [.standard, .backup1, .backup2, .sds]),
        Case(
            testDescription: "who comes back does not claim its role",
            before: [.init(.standard), .init(.sds), .init(.backup1), .init(.backup2)],
            after: [.standard, .sds, .backup1, .backup2]),
        Case(
            testDescription: "two leaders of a half-made change: the one alive stays",
            before: [.init(.sds, 4), .init(.sds), .init(.backup2), .init(.standard)],
            after: [.backup2, .sds, .backup1, .standard]),
        Case(
            testDescription: "two holders of one backup role become two backups",
            before: [.init(.sds), .init(.backup1), .init(.backup1), .init(.standard)],
            after: [.sds, .backup1, .backup2, .standard]),
        Case(
            testDescription: "of too many voters the dead ones go first",
            before: [.init(.sds), .init(.backup1, 99), .init(.backup1), .init(.backup2)],
            after: [.sds, .standard, .backup1, .backup2]),
        Case(
            testDescription: "nobody lives: nothing can be better",
            before: [.init(.sds, 99), .init(.backup1, 99), .init(.backup2, 99)],
            after: [.sds, .backup1, .backup2]),
    ]

    @Test(arguments: cases) func line(_ example: Case) {
        let nodes = example.before.enumerated().map {
            node($0 + 1, $1.role, silentFor: $1.silent)
        }
        let view = ClusterView(nodes: nodes, volumes: [])
        let changes = plan(view)
        let after = view.applying(changes)
        #expect(after.nodes.map(\.record.role) == example.after)
        #expect(plan(after) == [])
    }

    @Test func onlyNormalNodesAreGivenRoles() {
        let nodes = [
            node(1, .sds), node(2, duty: .cordoned), node(3, duty: .leaving), node(4),
            node(5, silentFor: 1),
        ]
        let after = ClusterView(nodes: nodes, volumes: []).applying(
            plan(ClusterView(nodes: nodes, volumes: [])))
        #expect(after.nodes.map(\.record.role) == [.sds, .standard, .standard, .backup1, .standard])
    }

    @Test func aCordonedNodeLeadsIfNoOtherLives() {
        let nodes = [node(1, .sds, silentFor: 4), node(2, duty: .cordoned)]
        let changes = plan(ClusterView(nodes: nodes, volumes: []))
        #expect(changes == [.setRole(nodeID(2), .sds), .setRole(nodeID(1), .backup1)])
    }

    @Test func aWitnessWithoutDrivesVotes() {
        let nodes = [node(1, .sds), node(2, .backup1), node(3, drives: [])]
        #expect(
            plan(ClusterView(nodes: nodes, volumes: [])) == [.setRole(nodeID(3), .backup2)])
    }

    @Test func rolesAreTakenAwayBeforeTheyAreGiven() {
        let nodes = fourNodes(silent: [3: 61])
        #expect(
            planRoles(nodes, delay: .seconds(60)) == [
                .setRole(nodeID(3), .standard), .setRole(nodeID(4), .backup2),
            ])
    }
}
