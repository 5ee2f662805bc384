import EngineCommands
import Foundation
import Glibc
import Records
import Ring
import Testing
import Units

@testable import Engine

/// Replicas whose drives or registrations change under them.
@Suite(.serialized)
struct ReplicaTests {
    static let kinds = ReplicationTests.kinds
    private func pattern(_ count: Int, at offset: UInt64) -> [UInt8] {
        ReplicationTests.pattern(count, at: offset)
    }

    @Test("Rotten data is reported, and another copy answers", arguments: kinds)
    func bitRot(_ kind: EngineKind) throws {
        let cluster = try TestCluster(kind)
        let node = cluster.nodes[0]
        try cluster.open(at: node)
        let client = try cluster.client(at: node)
        try client.write(pattern(1 << 20, at: 0), at: 0)
        try client.flush()
        try rot(node, cluster.volume, at: 5 * 4096 + 100)
        #expect(try client.read(1 << 20, at: 0) == pattern(1 << 20, at: 0))
        let replica = cluster.replicas[0].id
        try cluster.control.wait("the rot to be reported") { reports in
            reports.contains {
                if case .checksumMismatch(cluster.volume, replica, offset: 5 * 4096) = $0.report {
                    true
                } else {
                    false
                }
            }
        }
    }

    @Test("Checksums are kept over a restart", arguments: kinds)
    func rotWhileStopped(_ kind: EngineKind) throws {
        let cluster = try TestCluster(kind)
        let node = cluster.nodes[0]
        let first = try cluster.open(at: node)
        let client = try cluster.client(at: node)
        try client.write(pattern(1 << 20, at: 8 << 20), at: 8 << 20)
        node.post(.closeOwner(cluster.volume, instance: first))
        #expect(try cluster.control.waitForEnd(cluster.volume, of: first) == .released)
        node.stop()
        try rot(node, cluster.volume, at: 8 << 20)
        try cluster.start(node)
        try cluster.open(at: node)
        let next = try cluster.client(at: node)
        #expect(try next.read(1 << 20, at: 8 << 20) == pattern(1 << 20, at: 8 << 20))
        try cluster.control.wait("the rot to be reported") { reports in
            reports.contains {
                if case .checksumMismatch(cluster.volume, _, offset: 8 << 20) = $0.report {
                    true
                } else {
                    false
                }
            }
        }
    }

    @Test("An unregistered replica closes, and its owner goes on", arguments: kinds)
    func unregister(_ kind: EngineKind) throws {
        let cluster = try TestCluster(kind)
        try cluster.open(at: cluster.nodes[0])
        let client = try cluster.client(at: cluster.nodes[0])
        try client.write(pattern(4096, at: 0), at: 0)
        for index in [0, 1] {
            let replica = cluster.replicas[index].id
            cluster.nodes[index].post(.unregisterReplica(cluster.volume, replica))
            try cluster.control.wait("the replica to close") { reports in
                reports.contains {
                    if case .replicaClosed(cluster.volume, replica) = $0.report {
                        true
                    } else {
                        false
                    }
                }
            }
            try client.write(pattern(8192, at: 4096), at: 4096)
            #expect(try client.read(4096, at: 0) == pattern(4096, at: 0))
        }
        let states = cluster.control.record(of: cluster.volume).replicas.map(\.state)
        #expect(states == [.stale, .stale, .inSync])
        // It is free for whoever wants to delete it.
        try cluster.nodes[0].drive.delete(volume: cluster.volume, replica: cluster.replicas[0].id)
    }

    @Test("A damaged replica is reported and does no harm", arguments: kinds)
    func cannotBeOpened(_ kind: EngineKind) throws {
        let cluster = try TestCluster(kind)
        let node = cluster.nodes[2]
        let state = node.drive.directory(of: cluster.volume) + "/state"
        try Data(repeating: 7, count: 8192).write(to: URL(fileURLWithPath: state))
        // Its owner waits for its promise, then goes on without it.
        try cluster.open(at: cluster.nodes[0])
        let replica = cluster.replicas[2].id
        try cluster.control.wait("the failure to be reported") { reports in
            reports.contains {
                if case .replicaFailed(cluster.volume, replica, _) = $0.report {
                    true
                } else {
                    false
                }
            }
        }
        let client = try cluster.client(at: cluster.nodes[0])
        try client.write(pattern(4096, at: 0), at: 0)
        #expect(cluster.control.record(of: cluster.volume).replicas[2].state == .stale)
    }

    @Test("A stop ends while requests wait for a session", arguments: kinds)
    func stopWhileWaiting(_ kind: EngineKind) throws {
        let cluster = try TestCluster(kind)
        let client = try cluster.client(at: cluster.nodes[0])
        try client.begin(pattern(4096, at: 0), at: 0)
        cluster.nodes[0].stop()
        #expect(throws: (any Error).self) { try client.answer() }
    }

    private func rot(_ node: TestNode, _ volume: VolumeID, at offset: off_t) throws {
        let file = open(node.drive.directory(of: volume) + "/data", O_RDWR)
        try #require(file >= 0)
        defer { close(file) }
        var byte: UInt8 = 0
        #expect(pread(file, &byte, 1, offset) == 1)
        byte ^= 0x10
        #expect(pwrite(file, &byte, 1, offset) == 1)
        #expect(fsync(file) == 0)
    }
}
