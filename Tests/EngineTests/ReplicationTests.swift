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
}
