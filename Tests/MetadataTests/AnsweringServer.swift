import Foundation
import Glibc
import MetadataEtcd
import Synchronization
import Testing

/// An HTTP server that is no etcd: the same answer to everything.
final class AnsweringServer: Sendable {
    let endpoint: EtcdEndpoint
    private let listener: Int32
    private let answer: String

    init(_ answer: String) throws {
        self.answer = answer
        listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        let port = try #require(LossyProxy.listen(listener))
        endpoint = EtcdEndpoint(host: "127.0.0.1", port: port)
        Thread.detachNewThread { [self] in
            while true {
                let client = accept(listener, nil, nil)
                guard client >= 0 else { break }
                serve(client)
                Glibc.close(client)
            }
            Glibc.close(listener)
        }
    }

    func close() { shutdown(listener, Int32(SHUT_RDWR)) }

    private func serve(_ client: Int32) {
        var request = [UInt8](repeating: 0, count: 64 << 10)
        guard recv(client, &request, request.count, 0) > 0 else { return }
        let text = "HTTP/1.1 200 OK\r\nConnection: close\r\n"
            + "Content-Length: \(answer.utf8.count)\r\n\r\n\(answer)"
        _ = LossyProxy.send(client, Array(text.utf8))
    }
}

/// One request as any HTTP client makes it.
struct URLRequestText {
    private let endpoint: EtcdEndpoint
    private let path: String
    var body = ""

    init(_ endpoint: EtcdEndpoint, _ path: String) {
        self.endpoint = endpoint
        self.path = path
    }

    /// The whole answer.
    func send() throws -> String {
        let server = try #require(LossyProxy.connect(to: endpoint))
        defer { Glibc.close(server) }
        let text = "POST \(path) HTTP/1.1\r\nHost: etcd\r\nConnection: close\r\n"
            + "Content-Length: \(body.utf8.count)\r\n\r\n\(body)"
        try #require(LossyProxy.send(server, Array(text.utf8)))
        var answer: [UInt8] = []
        var piece = [UInt8](repeating: 0, count: 64 << 10)
        while true {
            let count = recv(server, &piece, piece.count, 0)
            guard count > 0 else { break }
            answer += piece.prefix(count)
        }
        return String(decoding: answer, as: UTF8.self)
    }
}
