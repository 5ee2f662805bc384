import Foundation
import Glibc
import MetadataEtcd
import Synchronization
import Testing

/// A way to an endpoint on which things get lost, as on a network: told when, and exactly once.
final class LossyProxy: Sendable {
    enum Loss: Equatable {
        /// Everything passes.
        case none
        /// The next request passes and is answered; the answer is lost and the connection ends.
        case reply
        /// The next request is kept back, and the connection ends; `release` sends it.
        case delay
        /// The same, and the connection stays: the client waits until it gives up.
        case hold
    }

    private struct State {
        var path = ""
        var loss = Loss.none
        var lost = 0
        var delayed: [UInt8]?
        var connections: [Int32] = []
        var isClosed = false
    }

    let endpoint: EtcdEndpoint
    private let listener: Int32
    private let target: EtcdEndpoint
    private let state = Mutex(State())

    init(to target: EtcdEndpoint) throws {
        self.target = target
        listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        endpoint = EtcdEndpoint(host: "127.0.0.1", port: try #require(Self.listen(listener)))
        Thread.detachNewThread { [self] in accept() }
    }

    /// The next request whose first line has `path` in it is lost in this way.
    func lose(_ loss: Loss, of path: String) {
        state.withLock { state in
            state.loss = loss
            state.path = path
        }
    }

    /// How many have been lost.
    var lost: Int { state.withLock { $0.lost } }

    /// Sends what was delayed, on a connection of its own. Returns the answer.
    func release() throws -> String {
        let request = try #require(state.withLock { $0.delayed.take() })
        let server = try #require(Self.connect(to: target))
        defer { Glibc.close(server) }
        try #require(Self.send(server, request))
        var piece = [UInt8](repeating: 0, count: 64 << 10)
        let count = recv(server, &piece, piece.count, 0)
        return String(decoding: piece.prefix(max(count, 0)), as: UTF8.self)
    }

    /// Breaks every connection there is.
    func cut() {
        for socket in state.withLock({ $0.connections }) { shutdown(socket, Int32(SHUT_RDWR)) }
    }

    func close() {
        state.withLock { $0.isClosed = true }
        shutdown(listener, Int32(SHUT_RDWR))
        cut()
    }

    private func accept() {
        while true {
            let client = Glibc.accept(listener, nil, nil)
            guard client >= 0, !state.withLock({ $0.isClosed }) else {
                if client >= 0 { Glibc.close(client) }
                break
            }
            guard let server = Self.connect(to: target) else {
                Glibc.close(client)
                continue
            }
            state.withLock { $0.connections += [client, server] }
            let link = Link(client: client, server: server)
            Thread.detachNewThread { [self] in
                upwards(link)
                finish(link)
            }
            Thread.detachNewThread { [self] in
                downwards(link)
                finish(link)
            }
        }
        Glibc.close(listener)
    }

    /// One client's connection; closed when both directions have ended.
    private final class Link: Sendable {
        let client: Int32
        let server: Int32
        let losesReply = Atomic(false)
        let ended = Atomic(0)

        init(client: Int32, server: Int32) {
            self.client = client
            self.server = server
        }
    }

    private func upwards(_ link: Link) {
        var piece = [UInt8](repeating: 0, count: 64 << 10)
        while true {
            let count = recv(link.client, &piece, piece.count, 0)
            guard count > 0 else { return }
            let bytes = Array(piece.prefix(count))
            let loss = takeLoss(bytes)
            switch loss {
            case .none: break
            case .reply: link.losesReply.store(true, ordering: .releasing)
            case .delay, .hold:
                let whole = bytes + rest(of: bytes, from: link.client)
                state.withLock { state in
                    state.delayed = whole
                    state.lost += 1
                }
                if loss == .delay { return }
                continue
            }
            guard Self.send(link.server, bytes) else { return }
        }
    }

    private func downwards(_ link: Link) {
        var piece = [UInt8](repeating: 0, count: 64 << 10)
        while true {
            let count = recv(link.server, &piece, piece.count, 0)
            guard count > 0 else { return }
            if link.losesReply.load(ordering: .acquiring) {
                state.withLock { $0.lost += 1 }
                return
            }
            guard Self.send(link.client, Array(piece.prefix(count))) else { return }
        }
    }

    /// What to do with a request that begins with these bytes.
    private func takeLoss(_ bytes: [UInt8]) -> Loss {
        let line = String(decoding: bytes.prefix { $0 != 13 }, as: UTF8.self)
        return state.withLock { state in
            guard state.loss != .none, line.contains(state.path) else { return .none }
            defer { state.loss = .none }
            return state.loss
        }
    }

    /// The body of a request may come after its head.
    private func rest(of bytes: [UInt8], from client: Int32) -> [UInt8] {
        let text = String(decoding: bytes, as: UTF8.self)
        let head = text.components(separatedBy: "\r\n\r\n")[0]
        let length = head.lowercased().components(separatedBy: "content-length: ").last
            .flatMap { Int($0.prefix { $0.isNumber }) } ?? 0
        var missing = head.utf8.count + 4 + length - bytes.count
        var all: [UInt8] = []
        var piece = [UInt8](repeating: 0, count: 64 << 10)
        while missing > 0 {
            let count = recv(client, &piece, piece.count, 0)
            guard count > 0 else { break }
            all += piece.prefix(count)
            missing -= count
        }
        return all
    }

    /// The second of the two directions to end closes both sockets.
    private func finish(_ link: Link) {
        shutdown(link.client, Int32(SHUT_RDWR))
        shutdown(link.server, Int32(SHUT_RDWR))
        guard link.ended.add(1, ordering: .acquiringAndReleasing).newValue == 2 else { return }
        state.withLock { state in
            state.connections.removeAll { $0 == link.client || $0 == link.server }
            Glibc.close(link.client)
            Glibc.close(link.server)
        }
    }

    /// Listens at a port that the kernel chooses.
    static func listen(_ listener: Int32) -> UInt16? {
        var address = Self.address("127.0.0.1", 0)
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        return withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                guard bind(listener, $0, length) == 0, Glibc.listen(listener, 64) == 0,
                    getsockname(listener, $0, &length) == 0
                else { return nil }
                return UInt16(bigEndian: pointer.pointee.sin_port)
            }
        }
    }

    static func connect(to target: EtcdEndpoint) -> Int32? {
        let server = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        var address = Self.address(target.host, target.port)
        let status = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                Glibc.connect(server, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        if status == 0 { return server }
        Glibc.close(server)
        return nil
    }

    private static func address(_ host: String, _ port: UInt16) -> sockaddr_in {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        inet_pton(AF_INET, host, &address.sin_addr)
        return address
    }

    static func send(_ socket: Int32, _ bytes: [UInt8]) -> Bool {
        var sent = 0
        while sent < bytes.count {
            let count = bytes[sent...].withUnsafeBytes {
                Glibc.send(socket, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
            }
            guard count > 0 else { return false }
            sent += count
        }
        return true
    }
}
