import EngineCommands
import Logging
import Metadata
import Records
import Synchronization
import Testing
import Units

@testable import Control

/// Nodes with real control over one memory store, with fakes for engine, drives and devices.
final class TestCluster: Sendable {
    let store: any MetadataStore
    let disks = FakeDisks()
    let times: ControlTimes
    private let started = Mutex<[TestNode]>([])

    /// What an event is waited for at most; nothing takes as long unless it is broken.
    static let patience = Duration.seconds(30)

    init(
        store: any MetadataStore = MemoryStore(), rebuildDelay: Duration = .seconds(600),
        handover: Duration = .milliseconds(200)
    ) {
        self.store = store
        times = ControlTimes(
            rebuildDelay: rebuildDelay, survey: .milliseconds(50), retry: .milliseconds(20),
            handover: handover)
    }

    func start(_ count: Int) async throws -> [TestNode] {
        var nodes: [TestNode] = []
        for number in 1...count { nodes.append(try await start("v\(number)")) }
        let all = nodes
        // Each has a view of its own, and none of them is the first to know.
        for node in all {
            try await node.until("all nodes live") { view in
                all.allSatisfy { view.isAlive($0.id) && view.nodes[$0.id] != nil } ? true : nil
            }
        }
        return nodes
    }

    /// The same node again where `state` is given: its id and its drive, and what was kept.
    func start(
        _ name: String, again state: TestNode? = nil, kept: [KeptDevice] = []
    ) async throws -> TestNode {
        let node = try await TestNode(
            name, in: self, id: state?.id, storage: state?.storage, kept: kept)
        started.withLock { $0.append(node) }
        return node
    }

    func end() {
        for node in started.withLock({ $0 }) { node.task.cancel() }
    }

    /// Runs a test over a cluster, and ends the cluster.
    static func with(
        _ count: Int, store: any MetadataStore = MemoryStore(),
        rebuildDelay: Duration = .seconds(600), handover: Duration = .milliseconds(200),
        _ body: (TestCluster, [TestNode]) async throws -> Void
    ) async throws {
        let cluster = TestCluster(
            store: store, rebuildDelay: rebuildDelay, handover: handover)
        defer { cluster.end() }
        try await body(cluster, try await cluster.start(count))
    }
}

final class TestNode: Sendable {
    let id: NodeID
    let plane: ControlPlane
    let engine = FakeEngine()
    let storage: FakeStorage
    let devices: FakeDevices
    let store: any MetadataStore
    let task: Task<Void, Never>
    private let liveness: LivenessKeeper

    init(
        _ name: String, in cluster: TestCluster, id: NodeID?, storage: FakeStorage?,
        kept: [KeptDevice] = []
    ) async throws {
        let id = id ?? .random()
        let storage = storage ?? FakeStorage()
        self.id = id
        self.storage = storage
        devices = FakeDevices(disks: cluster.disks, kept: kept)
        store = cluster.store
        engine.belongs(to: id)
        let settings = ControlSettings(
            node: id, name: name, address: SocketAddress(host: "127.0.0.1", port: 7700),
            incarnation: .random(), boot: .zero, volumesDirectory: "/volumes/\(name)",
            version: "test", times: cluster.times)
        var logger = Logger(label: name)
        logger.logLevel = .critical
        let membership = try await Membership.begin(
            settings: settings, store: cluster.store, logger: logger
        ) { _ in await storage.drives() }
        liveness = membership.liveness
        let plane = ControlPlane(
            settings: settings, membership: membership, store: cluster.store, engine: engine,
            storage: storage, devices: devices, logger: logger)
        self.plane = plane
        task = Task { await plane.run() }
    }

    var requests: Requests { plane.requests }
    var view: RecordsView { plane.context.view }

    /// Sudden death: nothing of it runs any more, and its lease has run out.
    func die() async {
        task.cancel()
        await task.value
        await liveness.end()
    }

    /// Waits until this node's view of the cluster is as wanted.
    @discardableResult
    func until<Value: Sendable>(
        _ what: String, _ condition: (RecordsView) -> Value?
    ) async throws -> Value {
        try #require(
            try await plane.context.board.wait(atMost: TestCluster.patience, condition),
            "never: \(what)")
    }

    /// Waits for an event with a code.
    func event(_ code: EventCode) async throws -> String {
        let deadline = ContinuousClock.now + TestCluster.patience
        for try await event in requests.eventStream(newest: 10_000) {
            if event.code == code.rawValue { return event.text }
            if ContinuousClock.now > deadline { break }
        }
        throw RequestError(.timedOut, "event", why: "never: \(code)")
    }

    func eventCodes() async throws -> [Int] {
        await plane.context.events.flush(atMost: .seconds(5))
        return try await requests.events(newest: 10_000).events.map(\.code)
    }
}
