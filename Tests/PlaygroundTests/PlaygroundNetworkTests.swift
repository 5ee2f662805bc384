import Testing

@testable import Playground

@Suite struct PlaygroundNetworkTests {
    private let node = PlaygroundNode(number: 12, root: "/play", network: .bridged)

    @Test func bridgedNodesHaveAddressesOfTheirNetwork() {
        #expect(node.address == "10.77.0.12")
        #expect(node.hardwareAddress == "02:00:0a:4d:00:0c")
        let last = PlaygroundNode(number: Limits.nodesMax, root: "/play", network: .bridged)
        #expect(last.hardwareAddress == "02:00:0a:4d:00:10")
    }

    @Test func onlyBridgedNodesListenBeyondLoopback() {
        let plan = PlaygroundPlan(network: 0, nodes: 12, hasNamespaces: true)
        let arguments = node.arguments(plan: plan, store: [], boot: nil)
        #expect(arguments.contains("--insecure-network"))
        #expect(arguments.contains("10.77.0.12:10809"))
        let plain = PlaygroundNode(number: 12, root: "/play", network: .loopback(3))
        let others = plain.arguments(plan: plan, store: [], boot: nil)
        #expect(!others.contains("--insecure-network"))
    }

    @Test func aMemberInANodeHasItsAddressAndASocketForThoseOutside() throws {
        let member = PlaygroundMember(number: 2, root: "/play", network: .bridged)
        #expect(member.address == "10.77.0.2")
        #expect(member.socket == "/play/etcd/m2/m2:2379")
        let arguments = member.arguments(among: [member])
        let listen = try #require(arguments.firstIndex(of: "--listen-client-urls"))
        #expect(arguments[listen + 1] == "http://10.77.0.2:2379,unix://m2:2379")
        let advertise = try #require(arguments.firstIndex(of: "--advertise-client-urls"))
        #expect(arguments[advertise + 1] == "http://10.77.0.2:2379")
    }

    @Test func aMemberOnItsOwnHasNone() {
        let member = PlaygroundMember(number: 2, root: "/play", network: .loopback(3))
        #expect(member.address == "127.77.3.202")
        #expect(member.socket == nil)
    }
}
