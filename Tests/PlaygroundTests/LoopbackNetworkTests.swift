import API
import FoundationEssentials
import Testing

@testable import Playground

@Suite struct LoopbackNetworkTests {
    private let root = FileManager.default.temporaryDirectory.path + "/cio-net-\(UUID().uuidString)"

    /// A playground's folder, whose nodes never start.
    private func take(_ name: String) throws -> Int {
        let folder = "\(root)/\(name)"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        var chosen = 0
        try LoopbackNetwork.take(nodes: 4, for: folder, from: 100, registry: "\(root)/registry") {
            (network) throws(APIError) in
            try PlaygroundPlan(network: network, nodes: 4).save(to: folder)
            chosen = network
        }
        return chosen
    }

    @Test func twoPlaygroundsNeverShareANetworkEvenWhenTheirNodesAreDown() throws {
        defer { try? FileManager.default.removeItem(atPath: root) }
        let networks = try (0..<5).map { try take("play\($0)") }
        #expect(Set(networks).count == 5)
    }

    @Test func theNetworkOfAPlaygroundThatIsGoneIsFreeAgain() throws {
        defer { try? FileManager.default.removeItem(atPath: root) }
        let network = try take("gone")
        try FileManager.default.removeItem(atPath: "\(root)/gone")
        #expect(try take("next") == network)
    }

    @Test func playgroundsThatStartAtOnceTakeDifferentNetworks() async throws {
        defer { try? FileManager.default.removeItem(atPath: root) }
        let networks = try await withThrowingTaskGroup(of: Int.self) { group in
            for number in 0..<16 { group.addTask { try take("play\(number)") } }
            return try await group.reduce(into: Set<Int>()) { $0.insert($1) }
        }
        #expect(networks.count == 16)
    }
}
