import EngineCommands
import Foundation
import Records
import Ring
import Synchronization
import Testing
import Units

@testable import Engine

/// Clients that go on while copies die, come back and are rebuilt, over and over.
@Suite(.serialized)
struct ChurnTests {
    @Test("No write is lost or torn while copies come and go", arguments: ReplicationTests.kinds)
    func copiesComeAndGo(_ kind: EngineKind) throws {
        let cluster = try TestCluster(kind)
        try cluster.open(at: cluster.nodes[0])
        let isOver = Mutex(false)
        // Each has regions of its own, and remembers what it wrote last.
        let writers = (0..<3).map { writer in
            TestThread {
                let client = try cluster.client(at: cluster.nodes[0])
                var generator = SeededGenerator(seed: UInt64(writer) + 1)
                var written: [UInt64: (count: Int, round: UInt8)] = [:]
                while !isOver.withLock({ $0 }) {
                    let place = UInt64.random(in: 0..<64, using: &generator)
                    let offset = UInt64(writer) << 24 | place << 17
                    let count = [4096, 512, 65_536, 131_072].randomElement(using: &generator)!
                    let round = UInt8.random(in: 1...255, using: &generator)
                    try client.write(
                        ReplicationTests.pattern(count, at: offset, round: round), at: offset)
                    written[offset] = (count, round)
                    if round % 16 == 0 { try client.flush() }
                    let (known, last) = written.randomElement(using: &generator)!
                    let expected = ReplicationTests.pattern(
                        last.count, at: known, round: last.round)
                    if try client.read(last.count, at: known) != expected {
                        throw TestFailure(what: "another content at \(known)")
                    }
                }
                try client.flush()
            }
        }
        for round in 0..<6 {
            let index = 1 + round % 2
            cluster.nodes[index].kill()
            try cluster.control.wait("the copy to leave") { _ in
                cluster.control.record(of: cluster.volume).replicas[index].state == .stale
            }
            try cluster.start(cluster.nodes[index])
            try cluster.rebuild(index, from: 0)
        }
        isOver.withLock { $0 = true }
        for writer in writers { try writer.join() }
        try cluster.rebuildStale(from: 0)
        try cluster.expectEqualCopies()
    }

    @Test("The volume moves from node to node under its clients", arguments: ReplicationTests.kinds)
    func ownersComeAndGo(_ kind: EngineKind) throws {
        let cluster = try TestCluster(kind)
        var written: [UInt64: UInt8] = [:]
        for round in 0..<6 {
            let node = cluster.nodes[round % 3]
            let instance = try cluster.open(at: node)
            let client = try cluster.client(at: node)
            for (offset, last) in written {
                let expected = ReplicationTests.pattern(65_536, at: offset, round: last)
                #expect(try client.read(65_536, at: offset) == expected)
            }
            for place in 0..<8 {
                let offset = UInt64(place) << 20 | UInt64(round) << 12
                try client.write(
                    ReplicationTests.pattern(65_536, at: offset, round: UInt8(round)), at: offset)
                for other in written.keys where other != offset && other >> 20 == offset >> 20 {
                    written[other] = nil
                }
                written[offset] = UInt8(round)
            }
            if round % 2 == 0 {
                node.kill()
                try cluster.start(node)
            } else {
                node.post(.closeOwner(cluster.volume, instance: instance))
                #expect(try cluster.control.waitForEnd(cluster.volume, of: instance) == .released)
            }
        }
        try cluster.open(at: cluster.nodes[0])
        try cluster.rebuildStale(from: 0)
        try cluster.expectEqualCopies()
    }
}

/// SplitMix64: the same numbers for the same seed.
struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var value = state
        value = (value ^ value >> 30) &* 0xBF58_476D_1CE4_E5B9
        value = (value ^ value >> 27) &* 0x94D0_49BB_1331_11EB
        return value ^ value >> 31
    }
}
