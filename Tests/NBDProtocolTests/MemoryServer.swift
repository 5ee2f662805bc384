import Foundation
import Glibc
import NBDProtocol
import Synchronization

/// An NBD server over memory: a thread per connection, blocking calls, one request at a time.
/// What the engine does in production, in its plainest form, for real clients to judge.
final class MemoryServer: @unchecked Sendable {
    let path: String
    let sizeBytes: Int
    let memory: UnsafeMutableRawPointer
    private let listener: Int32
    private let counts = Mutex(Counts())

    struct Counts {
        var flushes = 0
        var forced = 0
        var trims = 0
        var zeroes = 0
        var refusals = 0
    }

    init(sizeBytes: Int) {
        self.sizeBytes = sizeBytes
        path = "/tmp/cio-nbd-\(getpid())-\(UInt64.random(in: 0 ..< .max)).sock"
        memory = .allocate(byteCount: sizeBytes, alignment: 4096)
        memset(memory, 0, sizeBytes)
        listener = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
        let bound = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(listener, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        precondition(bound == 0 && listen(listener, 16) == 0)
        Thread.detachNewThread { self.accept() }
    }

    /// The export's address for NBD clients.
    func uri(_ name: String) -> String { "nbd+unix:///\(name)?socket=\(path)" }

    var seen: Counts { counts.withLock { $0 } }

    func stop() {
        unlink(path)
        shutdown(listener, Int32(SHUT_RDWR))
    }

    private func accept() {
        while true {
            let client = Glibc.accept(listener, nil, nil)
            guard client >= 0 else { return }
            Thread.detachNewThread {
                if let session = self.shakeHands(client) { self.transmit(client, session) }
                close(client)
            }
        }
    }

    private func shakeHands(_ client: Int32) -> NBDSession? {
        var handshake = NBDHandshake()
        guard send(client, NBDHandshake.greeting) else { return nil }
        var piece = [UInt8](repeating: 0, count: 4096)
        while true {
            let count = recv(client, &piece, piece.count, 0)
            guard count > 0 else { return nil }
            piece.withUnsafeBytes { handshake.receive(.init(rebasing: $0[..<count])) }
            while let event = handshake.next() {
                switch event {
                case .send(let bytes): guard send(client, bytes) else { return nil }
                case .openExport(let name), .describeExport(let name):
                    if name == "volume" {
                        let size = UInt64(sizeBytes)
                        handshake.accept(
                            NBDExport(name: name, description: "in memory", sizeBytes: size))
                    } else {
                        handshake.refuse(.unknown, message: "there is no volume \(name)")
                    }
                case .listExports:
                    handshake.list([NBDListing(name: "volume", description: "in memory")])
                case .entered(let session):
                    precondition(handshake.takeRemainder().isEmpty)
                    return session
                case .close: return nil
                }
            }
        }
    }

    private func transmit(_ client: Int32, _ session: NBDSession) {
        let reply = UnsafeMutableRawPointer.allocate(
            byteCount: NBDReply.bytesMax, alignment: 16)
        let payload = UnsafeMutableRawPointer.allocate(
            byteCount: Int(NBDLimits.skippedPayloadBytesMax), alignment: 4096)
        defer {
            reply.deallocate()
            payload.deallocate()
        }
        let structured = session.structuredReplies
        while receive(client, payload, NBDRequest.headerBytes) {
            let decision = NBDRequest.parse(
                payload, exportBytes: UInt64(sizeBytes), structuredReplies: structured)
            var answered: Int
            switch decision {
            case .perform(let request):
                guard receive(client, payload, Int(request.payloadBytes)) else { return }
                perform(request, payload)
                guard request.command == .read else {
                    answered = NBDReply.encodeSuccess(
                        cookie: request.cookie, structuredReplies: structured, into: reply)
                    break
                }
                answered = NBDReply.encodeReadHeader(
                    request, structuredReplies: structured, into: reply)
                let data = memory + Int(request.offsetBytes)
                guard send(client, reply, answered),
                    send(client, data, Int(request.lengthBytes))
                else { return }
                continue
            case .refuse(let refusal):
                counts.withLock { $0.refusals += 1 }
                guard receive(client, payload, Int(refusal.skippedBytes)) else { return }
                answered = NBDReply.encodeRefusal(
                    refusal, structuredReplies: structured, into: reply)
            case .disconnect, .violation: return
            }
            guard send(client, reply, answered) else { return }
        }
    }

    private func perform(_ request: NBDRequest, _ payload: UnsafeMutableRawPointer) {
        let place = memory + Int(request.offsetBytes)
        counts.withLock { if request.forcesUnitAccess { $0.forced += 1 } }
        switch request.command {
        case .read: break
        case .write: memcpy(place, payload, Int(request.lengthBytes))
        case .flush: counts.withLock { $0.flushes += 1 }
        case .trim:
            counts.withLock { $0.trims += 1 }
            memset(place, 0, Int(request.lengthBytes))
        case .writeZeroes:
            counts.withLock { $0.zeroes += 1 }
            memset(place, 0, Int(request.lengthBytes))
        }
    }

    private func send(_ client: Int32, _ bytes: [UInt8]) -> Bool {
        bytes.withUnsafeBytes { send(client, $0.baseAddress!, $0.count) }
    }

    private func send(_ client: Int32, _ bytes: UnsafeRawPointer, _ count: Int) -> Bool {
        var sent = 0
        while sent < count {
            let more = Glibc.send(client, bytes + sent, count - sent, Int32(MSG_NOSIGNAL))
            guard more > 0 else { return false }
            sent += more
        }
        return true
    }

    private func receive(_ client: Int32, _ bytes: UnsafeMutableRawPointer, _ count: Int) -> Bool {
        count == 0 || recv(client, bytes, count, Int32(MSG_WAITALL)) == count
    }
}
