import EngineCommands
import Foundation
import Records
import Ring
import Testing
import Units

@testable import Engine

/// Three nodes, and a volume with a replica on each.
final class TestCluster: Sendable {
    let id = ClusterID.random()
    let control = TestControl()
    let nodes: [TestNode]
    let volume = VolumeID.random()
    let sizeBytes: UInt64
    let replicas: [ReplicaRecord]
    private let root: String

    init(
        _ kind: EngineKind, sizeBytes: UInt64 = 64 << 20, nodeCount: Int = 3, threads: Int = 1,
        timing: Timing = .ofTests
    ) throws {
        root = "/tmp/cio-engine-\(getpid())-\(Identifier.random().short)"
        self.sizeBytes = sizeBytes
        var nodes: [TestNode] = []
        for number in 0..<nodeCount {
            nodes.append(
                try TestNode(
                    number: number, cluster: id, control: control, kind: kind,
                    threads: threads, timing: timing, in: root))
        }
        self.nodes = nodes
        replicas = nodes.map {
            ReplicaRecord(
                id: .random(), node: $0.id, drive: $0.drive.identity.drive, state: .inSync)
        }
        for (node, replica) in zip(nodes, replicas) {
            try node.drive.create(volume: volume, replica: replica.id, sizeBytes: sizeBytes)
        }
        control.put(
            VolumeConfiguration(
                volume: volume, epoch: 0, owner: nil, released: true, nonce: .zero,
                replicas: replicas))
        control.export(
            "disk", NBDExport(volume: volume, sizeBytes: sizeBytes, description: "a test"))
        for node in nodes { try start(node) }
    }

    deinit {
        for node in nodes { node.stop() }
        try? FileManager.default.removeItem(atPath: root)
    }

    /// Starts a node's engine, and makes the others know where it is.
    func start(_ node: TestNode) throws {
        try node.start()
        let index = nodes.firstIndex { $0 === node }!
        node.post(
            .registerReplica(
                LocalReplica(
                    volume: volume, replica: replicas[index].id, sizeBytes: sizeBytes,
                    directory: node.drive.directory(of: volume))))
        for other in nodes where other.isRunning {
            node.post(.nodeAddress(other.id, other.address))
            other.post(.nodeAddress(node.id, node.address))
        }
    }

    /// Opens a session at a node, and waits until every region is equal.
    @discardableResult
    func open(at node: TestNode) throws -> InstanceID {
        let instance = InstanceID.random()
        node.post(
            .openOwner(control.record(of: volume), instance: instance, sizeBytes: sizeBytes))
        try control.waitForServing(volume, by: instance)
        return instance
    }

    /// Has the owner at a node bring another node's copy in sync, and waits for it.
    func rebuild(_ target: Int, from owner: Int) throws {
        let replica = replicas[target].id
        try control.wait("the copy to join") { reports in
            // Refused while something else is under way: asked for again with every report.
            nodes[owner].post(.rebuild(volume, replica))
            return control.record(of: volume).replicas[target].state == .inSync
        }
    }

    /// Rebuilds what has left, as a copy may on a machine that is busy enough.
    func rebuildStale(from owner: Int) throws {
        for index in nodes.indices
        where control.record(of: volume).replicas[index].state == .stale {
            try rebuild(index, from: owner)
        }
    }

    /// Copies in sync are equal while nothing is written.
    func expectEqualCopies(_ location: SourceLocation = #_sourceLocation) throws {
        let states = control.record(of: volume).replicas.map(\.state)
        let inSync = nodes.indices.filter { states[$0] == .inSync }.map { nodes[$0] }
        let first = try inSync[0].data(of: volume)
        for node in inSync.dropFirst() {
            let other = try node.data(of: volume)
            if other == first { continue }
            let places = stride(from: 0, to: first.count, by: 512).filter {
                first[$0..<$0 + 512] != other[$0..<$0 + 512]
            }
            Issue.record(
                """
                the copies at \(inSync[0].directory) and \(node.directory) differ in \
                \(places.count) sectors: \(places.prefix(40))
                """, sourceLocation: location)
        }
    }

    func client(at node: TestNode) throws -> NBDClient {
        try NBDClient(path: node.socketPath, export: "disk")
    }
}

extension Timing {
    /// Short, so that tests are: what is checked is order, never duration.
    static let ofTests = Timing(
        lease: .milliseconds(300), giveUp: .milliseconds(800), reconnect: .milliseconds(20),
        closeGeneration: .milliseconds(200))
}
