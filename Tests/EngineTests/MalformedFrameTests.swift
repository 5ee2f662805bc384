import EngineCommands
import Foundation
import Glibc
import Ring
import Testing
import Units
import WireFormat

@testable import Engine

/// Nonsense on the data port and on the NBD socket: the connection ends, the engine goes on.
@Suite(.serialized)
struct MalformedFrameTests {
    /// Sends bytes on a new data connection, and waits until the engine hangs up.
    private func send(_ bytes: [UInt8], to node: TestNode) throws -> [UInt8] {
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
        try NBDClient.send(socket, bytes)
        return try readToEnd(socket)
    }

    private func readToEnd(_ socket: Int32) throws -> [UInt8] {
        var answer: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 4096)
        while true {
            let count = recv(socket, &buffer, buffer.count, 0)
            if count <= 0 { return answer }
            answer += buffer[..<count]
        }
    }

    private func hello(_ change: (inout Hello) -> Void, _ cluster: TestCluster) -> [UInt8] {
        var hello = Hello(
            cluster: cluster.id, node: .random(), incarnation: .random(), boot: .random(),
            volume: cluster.volume, replica: cluster.replicas[0].id, instance: .random(),
            sizeBytes: cluster.sizeBytes)
        change(&hello)
        var bytes = [UInt8](repeating: 0, count: FrameHeader.byteCount + HelloBody.byteCount)
        bytes.withUnsafeMutableBytes { _ = HelloBody.encodeFrame(hello, to: $0.baseAddress!) }
        return bytes
    }

    private func frame(_ header: FrameHeader, _ body: [UInt8] = []) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: FrameHeader.byteCount)
        bytes.withUnsafeMutableBytes { header.encode(to: $0.baseAddress!) }
        return bytes + body
    }

    private func refusal(_ bytes: [UInt8]) throws -> HelloRefusal {
        try bytes.withUnsafeBytes { raw in
            let header = try FrameHeader.decode(raw.baseAddress!, expecting: .helloReply)
            let answer = try HelloReplyBody.decode(header, raw.baseAddress! + FrameHeader.byteCount)
            guard case .refused(let refusal, _) = answer else {
                throw TestFailure(what: "the hello was accepted")
            }
            return refusal
        }
    }

    @Test("Bad hellos end their connection", arguments: ReplicationTests.kinds)
    func badHellos(_ kind: EngineKind) throws {
        let cluster = try TestCluster(kind)
        let node = cluster.nodes[0]
        let stray = Array("GET / HTTP/1.1\r\n\r\n".utf8) + [UInt8](repeating: 32, count: 64)
        #expect(try send(stray, to: node).isEmpty)
        #expect(try send([UInt8](repeating: 0xFF, count: 5000), to: node).isEmpty)
        var torn = hello({ _ in }, cluster)
        torn[70] ^= 1
        #expect(try send(torn, to: node).isEmpty)
        let flush = frame(
            FrameHeader(.request(.flush), version: 1, epoch: 1, volume: cluster.volume))
        #expect(try send(flush, to: node).isEmpty)
        let cases: [(HelloRefusal, (inout Hello) -> Void)] = [
            (.otherCluster, { $0.cluster = .random() }), (.noReplica, { $0.volume = .random() }),
            (.noReplica, { $0.replica = .random() }),
        ]
        for (expected, change) in cases {
            #expect(try refusal(send(hello(change, cluster), to: node)) == expected)
        }
        try expectService(cluster)
    }

    @Test("Bad requests end their connection", arguments: ReplicationTests.kinds)
    func badRequests(_ kind: EngineKind) throws {
        let cluster = try TestCluster(kind)
        let node = cluster.nodes[0]
        func header(_ request: RequestKind, _ change: (inout FrameHeader) -> Void) -> FrameHeader {
            var header = FrameHeader(
                .request(request), version: 1, request: 7, epoch: 1, volume: cluster.volume)
            change(&header)
            return header
        }
        let block = [UInt8](repeating: 0, count: 4096)
        let bad: [[UInt8]] = [
            frame(header(.read) { $0.length = 4096; $0.offset = cluster.sizeBytes }),
            frame(header(.read) { $0.length = 8192; $0.offset = (1 << 20) - 4096 }),
            frame(header(.write) { $0.length = UInt32.max; $0.generation = 1 }),
            frame(header(.write) { $0.length = 4096 }),
            frame(header(.discard) { $0.length = 1 << 31; $0.generation = 1 }),
            frame(header(.flush) { $0.volume = .random() }),
            frame(header(.flush) { $0.version = 9 }),
            // Checksums that are not those of the block.
            frame(
                header(.write) { $0.length = 4096; $0.generation = 1 },
                [1, 2, 3, 4, 0, 0, 0, 0] + block),
            [UInt8](repeating: 0x41, count: 200_000),
        ]
        for bytes in bad {
            let answer = try send(hello({ _ in }, cluster) + bytes, to: node)
            // At most the hello was answered.
            #expect(answer.count <= FrameHeader.byteCount + HelloReplyBody.byteCount)
        }
        try expectService(cluster)
    }

    @Test("Nonsense from NBD clients ends their connection", arguments: ReplicationTests.kinds)
    func badClients(_ kind: EngineKind) throws {
        let cluster = try TestCluster(kind)
        let node = cluster.nodes[0]
        try cluster.open(at: node)
        let socket = try NBDClient.connect(node.socketPath)
        try NBDClient.send(socket, [UInt8](repeating: 0x55, count: 4096))
        _ = try readToEnd(socket)
        close(socket)
        let client = try cluster.client(at: node)
        try client.sendBytes([UInt8](repeating: 0x55, count: 28))
        #expect(throws: TestFailure.self) { try client.answer() }
        // Beyond the end; too long; unaligned: refused, and the client may go on.
        let other = try cluster.client(at: node)
        #expect(throws: NBDFailure(code: 22)) { _ = try other.read(4096, at: cluster.sizeBytes) }
        #expect(throws: NBDFailure(code: 22)) { _ = try other.read(100, at: 3) }
        try other.request(1, cluster.sizeBytes, 4096)
        try other.sendBytes([UInt8](repeating: 1, count: 4096))
        #expect(throws: NBDFailure(code: 28)) { try other.answer() }
        // Half a write, then gone.
        let third = try cluster.client(at: node)
        try third.request(1, 0, 1 << 20)
        try third.sendBytes([UInt8](repeating: 7, count: 300_000))
        third.hangUp()
        try expectService(cluster, isOpen: true)
    }

    private func expectService(_ cluster: TestCluster, isOpen: Bool = false) throws {
        if !isOpen { try cluster.open(at: cluster.nodes[1]) }
        let client = try cluster.client(at: cluster.nodes[isOpen ? 0 : 1])
        let bytes = ReplicationTests.pattern(8192, at: 0)
        try client.write(bytes, at: 0)
        try client.flush()
        #expect(try client.read(8192, at: 0) == bytes)
        try cluster.expectEqualCopies()
    }
}
