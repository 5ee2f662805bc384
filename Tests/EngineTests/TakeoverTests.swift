import EngineCommands
import Foundation
import Records
import Ring
import Testing
import Units

@testable import Engine

/// Engines that die, owners that are replaced, copies that missed writes.
@Suite(.serialized)
struct TakeoverTests {
    static let kinds = ReplicationTests.kinds
    private func pattern(_ count: Int, at offset: UInt64, round: UInt8) -> [UInt8] {
        ReplicationTests.pattern(count, at: offset, round: round)
    }

    @Test("When a copy's engine dies, writes wait for the change, then go on", arguments: kinds)
    func copyDies(_ kind: EngineKind) throws {
        let cluster = try TestCluster(kind)
        try cluster.open(at: cluster.nodes[0])
        let client = try cluster.client(at: cluster.nodes[0])
        try client.write(pattern(4096, at: 0, round: 1), at: 0)
        cluster.nodes[2].kill()
        try client.write(pattern(4096, at: 0, round: 2), at: 0)
        try client.flush()
        #expect(try client.read(4096, at: 0) == pattern(4096, at: 0, round: 2))
        let record = cluster.control.record(of: cluster.volume)
        #expect(record.replicas[2].state == .stale)
    }

    @Test("A copy that missed writes is rebuilt and equals the others", arguments: kinds)
    func rebuild(_ kind: EngineKind) throws {
        let cluster = try TestCluster(kind)
        try cluster.open(at: cluster.nodes[0])
        let client = try cluster.client(at: cluster.nodes[0])
        try client.write(pattern(1 << 20, at: 0, round: 1), at: 0)
        try client.write(pattern(1 << 20, at: 8 << 20, round: 1), at: 8 << 20)
        cluster.nodes[2].kill()
        try client.write(pattern(1 << 20, at: 4 << 20, round: 2), at: 4 << 20)
        try client.write(pattern(8192, at: 8 << 20, round: 3), at: 8 << 20)
        try client.trim(1 << 20, at: 0)
        try cluster.start(cluster.nodes[2])
        try cluster.rebuild(2, from: 0)
        // Writes go on meanwhile and after.
        try client.write(pattern(4096, at: 12 << 20, round: 4), at: 12 << 20)
        try client.flush()
        #expect(try client.read(1 << 20, at: 0) == [UInt8](repeating: 0, count: 1 << 20))
        try cluster.expectEqualCopies()
    }

    @Test("Another node takes the volume over, and the old owner is locked out", arguments: kinds)
    func takeover(_ kind: EngineKind) throws {
        let cluster = try TestCluster(kind)
        let old = try cluster.open(at: cluster.nodes[0])
        let client = try cluster.client(at: cluster.nodes[0])
        try client.write(pattern(4096, at: 4096, round: 1), at: 4096)
        try cluster.open(at: cluster.nodes[1])
        let next = try cluster.client(at: cluster.nodes[1])
        #expect(try next.read(4096, at: 4096) == pattern(4096, at: 4096, round: 1))
        try next.write(pattern(4096, at: 4096, round: 2), at: 4096)
        #expect(throws: (any Error).self) {
            try client.write(pattern(4096, at: 4096, round: 3), at: 4096)
        }
        guard case .deposed = try cluster.control.waitForEnd(cluster.volume, of: old) else {
            Issue.record("the old owner was not deposed")
            return
        }
        try next.flush()
        #expect(try next.read(4096, at: 4096) == pattern(4096, at: 4096, round: 2))
        try cluster.expectEqualCopies()
    }

    @Test("A dead owner's copies are made equal by the next one", arguments: kinds)
    func ownerDies(_ kind: EngineKind) throws {
        let cluster = try TestCluster(kind)
        try cluster.open(at: cluster.nodes[0])
        let client = try cluster.client(at: cluster.nodes[0])
        try client.write(pattern(2 << 20, at: 1 << 20, round: 1), at: 1 << 20)
        cluster.nodes[0].kill()
        try cluster.open(at: cluster.nodes[1])
        let next = try cluster.client(at: cluster.nodes[1])
        #expect(try next.read(2 << 20, at: 1 << 20) == pattern(2 << 20, at: 1 << 20, round: 1))
        try next.write(pattern(512, at: 512, round: 2), at: 512)
        try cluster.start(cluster.nodes[0])
        try cluster.rebuild(0, from: 1)
        try next.flush()
        try cluster.expectEqualCopies()
    }

    @Test("A session that is closed is released, and clients wait for the next", arguments: kinds)
    func release(_ kind: EngineKind) throws {
        let cluster = try TestCluster(kind)
        let first = try cluster.open(at: cluster.nodes[0])
        let client = try cluster.client(at: cluster.nodes[0])
        try client.write(pattern(4096, at: 0, round: 1), at: 0)
        cluster.nodes[0].post(.closeOwner(cluster.volume, instance: first))
        #expect(try cluster.control.waitForEnd(cluster.volume, of: first) == .released)
        #expect(cluster.control.record(of: cluster.volume).released)
        try client.request(0, 0, 4096)
        try cluster.open(at: cluster.nodes[0])
        try client.answer()
        #expect(try client.receive(4096) == pattern(4096, at: 0, round: 1))
    }
}
