import EngineCommands
import Foundation
import Glibc
import Ring
import Testing
import Units
import WireFormat

@testable import Engine

/// Nodes that are connected to and say nothing, and those that beat.
@Suite(.serialized)
struct SilenceTests {
    @Test("A copy whose node takes connections and says nothing leaves", arguments: ReplicationTests.kinds)
    func deafNode(_ kind: EngineKind) throws {
        let cluster = try TestCluster(kind)
        let node = cluster.nodes[0]
        let silent = cluster.nodes[2]
        try cluster.open(at: node)
        // From here on connections to the third node end at a socket that nobody reads.
        let deaf = SocketOptions.listening(
            SocketOptions.tcp(boundTo: SocketAddress(host: "127.0.0.1", port: 0)))
        try #require(deaf >= 0)
        defer { close(deaf) }
        let address = SocketAddress(host: "127.0.0.1", port: SocketOptions.port(of: deaf))
        silent.kill()
        node.post(.nodeAddress(silent.id, address))
        try cluster.control.wait("the copy to leave") { _ in
            cluster.control.record(of: cluster.volume).replicas[2].state == .stale
        }
        // The owner goes on, and so does the other copy.
        let client = try cluster.client(at: node)
        try client.write(ReplicationTests.pattern(4096, at: 0), at: 0)
        try client.flush()
        try cluster.expectEqualCopies()
    }

    @Test("A hello between nodes is answered, and followed by heartbeats")
    func heartbeats() throws {
        let cluster = try TestCluster(.uring)
        let node = cluster.nodes[0]
        let hello = Hello(
            cluster: cluster.id, node: .random(), incarnation: .random(), boot: .random(),
            volume: .zero, replica: .zero, instance: .zero, sizeBytes: 0)
        let socket = SocketOptions.outgoing(from: node.address)
        try #require(socket >= 0)
        defer { close(socket) }
        var address = try #require(SocketOptions.address(node.address))
        let code = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(socket, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        try #require(code == 0)
        var bytes = [UInt8](repeating: 0, count: FrameHeader.byteCount + HelloBody.byteCount)
        bytes.withUnsafeMutableBytes { _ = HelloBody.encodeFrame(hello, to: $0.baseAddress!) }
        try NBDClient.send(socket, bytes)
        var answer = [UInt8](repeating: 0, count: FrameHeader.byteCount + HelloReplyBody.byteCount)
        try NBDClient.receive(socket, &answer)
        // It beats both ways on the one connection.
        var beat = [UInt8](repeating: 0, count: FrameHeader.byteCount)
        for _ in 0..<3 {
            try NBDClient.receive(socket, &beat)
            let header = try beat.withUnsafeBytes {
                try FrameHeader.decode($0.baseAddress!, expecting: .heartbeats(version: 1))
            }
            #expect(header.kind == .heartbeat)
        }
    }
}
