import API
import Testing

@testable import Playground

@Suite struct PlaygroundSettingsTests {
    @Test func whatNobodyAskedForFitsAnyPlayground() {
        let plan = PlaygroundPlan(
            network: 0, nodes: 3, engine: "aio", rebuildDelay: 5, liveness: 7, etcdMembers: 3,
            hasNamespaces: true)
        #expect(PlaygroundSettings().fit(plan))
        #expect(
            PlaygroundSettings(
                nodes: 3, engine: "aio", rebuildDelay: 5, liveness: 7, etcd: true,
                namespaces: true
            ).fit(plan))
    }

    @Test(arguments: [
        PlaygroundSettings(nodes: 4), PlaygroundSettings(engine: "uring"),
        PlaygroundSettings(rebuildDelay: 1), PlaygroundSettings(liveness: 1),
        PlaygroundSettings(etcd: true), PlaygroundSettings(namespaces: true),
    ])
    func anythingElseDoesNot(settings: PlaygroundSettings) {
        #expect(!settings.fit(PlaygroundPlan(network: 7, nodes: 3)))
    }

    @Test func aPlanHasWhatWasAskedFor() throws {
        let plan = try PlaygroundSettings(etcd: true, namespaces: true).plan("Bring up x")
        #expect(plan.nodes == 4)
        #expect(plan.etcdMembers == 3)
        #expect(plan.addresses == .bridged)
        #expect(try PlaygroundSettings().plan("Bring up x").addresses == .loopback(0))
    }

    @Test func threeMembersNeedThreeNodesToLiveIn() {
        let settings = PlaygroundSettings(nodes: 2, etcd: true, namespaces: true)
        let failure = #expect(throws: APIError.self) { try settings.plan("Bring up x") }
        #expect(failure?.error.why.contains("there are only 2") == true)
        #expect(throws: Never.self) {
            try PlaygroundSettings(nodes: 2, etcd: true).plan("Bring up x")
        }
    }
}
