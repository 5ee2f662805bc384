import EngineCommands
import Foundation
import Records
import Ring
import Testing
import Units

@testable import Engine

/// Three engines, a volume with three replicas, a client.
@Suite(.serialized)
struct ReplicationTests {
    static let kinds: [EngineKind] = [.uring, .aio]

    /// A pattern that names its place.
    static func pattern(_ count: Int, at offset: UInt64, round: UInt8 = 0) -> [UInt8] {
        (0..<count).map { UInt8(truncatingIfNeeded: (Int(offset) + $0) / 512 &* 31 &+ $0) ^ round }
    }

    @Test("What is written is read, and lies the same on every copy", arguments: kinds)
    func writeAndRead(_ kind: EngineKind) throws {
        let cluster = try TestCluster(kind)
        try cluster.open(at: cluster.nodes[0])
        let client = try cluster.client(at: cluster.nodes[0])
        #expect(client.sizeBytes == cluster.sizeBytes)
        // One block; a region's end; more than a region; parts of blocks.
        let places: [(UInt64, Int)] = [
            (0, 4096), ((1 << 20) - 4096, 8192), (3 << 20, (2 << 20) + 4096), (8 << 20 | 512, 1024),
            ((10 << 20) - 512, 1536), (20 << 20, 4 << 20),
        ]
        for (offset, count) in places {
            try client.write(Self.pattern(count, at: offset), at: offset)
        }
        try client.flush()
        for (offset, count) in places {
            #expect(try client.read(count, at: offset) == Self.pattern(count, at: offset))
        }
        let first = try cluster.nodes[0].data(of: cluster.volume)
        for node in cluster.nodes.dropFirst() {
            #expect(try node.data(of: cluster.volume) == first)
        }
        #expect(Array(first[3 << 20..<5 << 20]) == Self.pattern(2 << 20, at: 3 << 20))
    }

    @Test("Zeros and holes reach every copy, and end where they should", arguments: kinds)
    func holes(_ kind: EngineKind) throws {
        let cluster = try TestCluster(kind)
        try cluster.open(at: cluster.nodes[0])
        let client = try cluster.client(at: cluster.nodes[0])
        try client.write(Self.pattern(4 << 20, at: 0), at: 0)
        try client.trim(1 << 20, at: 1 << 20)
        try client.writeZeroes(3072, at: (3 << 20) - 1024)
        // A trim of parts of blocks leaves them.
        try client.trim(1024, at: 512)
        try client.flush()
        #expect(try client.read(1 << 20, at: 0) == Self.pattern(1 << 20, at: 0))
        #expect(try client.read(1 << 20, at: 1 << 20).allSatisfy { $0 == 0 })
        let edge = try client.read(5120, at: (3 << 20) - 2048)
        #expect(Array(edge[..<1024]) == Self.pattern(1024, at: (3 << 20) - 2048))
        #expect(edge[1024..<4096].allSatisfy { $0 == 0 })
        #expect(Array(edge[4096...]) == Self.pattern(1024, at: (3 << 20) + 2048))
        try cluster.expectEqualCopies()
    }

    @Test("Many connections and requests at once, on several loops", arguments: kinds)
    func manyAtOnce(_ kind: EngineKind) throws {
        let cluster = try TestCluster(kind, threads: 2)
        try cluster.open(at: cluster.nodes[0])
        let threads = (0..<4).map { number in
            TestThread {
                let client = try cluster.client(at: cluster.nodes[0])
                for round in 0..<20 {
                    let offset = UInt64(number * 8 + round % 8) << 20
                    let bytes = Self.pattern(65_536, at: offset, round: UInt8(round))
                    for part in 0..<16 {
                        try client.begin(bytes, at: offset + UInt64(part) * 65_536)
                    }
                    for _ in 0..<16 { try client.answer() }
                    if try client.read(65_536, at: offset) != bytes {
                        throw TestFailure(what: "read something else at \(offset)")
                    }
                }
                try client.flush()
            }
        }
        for thread in threads { try thread.join() }
        try cluster.expectEqualCopies()
    }

    @Test("qemu-io and nbdcopy are content", arguments: kinds)
    func realClients(_ kind: EngineKind) throws {
        let cluster = try TestCluster(kind)
        try cluster.open(at: cluster.nodes[0])
        let uri = "nbd+unix:///disk?socket=\(cluster.nodes[0].socketPath)"
        let image = cluster.nodes[0].directory + "/image"
        let script = """
            set -e
            qemu-io -f raw -c 'write -P 7 0 3M' -c 'write -z 1M 1M' -c 'discard 2M 64k' -c flush \
                -c 'read -P 7 0 1M' -c 'read -P 0 1M 1M' '\(uri)' > /dev/null
            head -c 30000000 /dev/urandom > \(image); truncate -s \(cluster.sizeBytes) \(image)
            nbdcopy --connections=4 --requests=32 \(image) '\(uri)'
            nbdcopy '\(uri)' - | cmp - \(image)
            """
        #expect(try Shell.run(script) == 0)
        try cluster.expectEqualCopies()
    }
}
