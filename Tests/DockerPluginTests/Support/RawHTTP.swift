import Glibc

/// HTTP by hand, over a unix socket: what is sent is exactly what is written here.
struct RawHTTP {
    let path: String

    struct Answer: Equatable {
        var status: Int
        var body: String
    }

    /// As Docker sends it: an empty Host, no Content-Type.
    func call(_ call: String, _ body: String) -> Answer? {
        start(call, body).flatMap(finish)
    }

    /// Sends a call without waiting for its answer; the descriptor to wait on.
    func start(_ call: String, _ body: String) -> Int32? {
        begin(
            "POST \(call) HTTP/1.1\r\nHost: \r\nUser-Agent: Go-http-client/1.1\r\n"
                + "Content-Length: \(body.utf8.count)\r\n"
                + "Accept: application/vnd.docker.plugins.v1.2+json\r\n"
                + "Connection: close\r\n\r\n\(body)")
    }

    /// Sends bytes, and reads until the other side closes; nil where there is no answer.
    func exchange(_ text: String) -> Answer? { begin(text).flatMap(finish) }

    private func begin(_ text: String) -> Int32? {
        let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { return nil }
        guard connect(descriptor) else {
            close(descriptor)
            return nil
        }
        var rest = Array(text.utf8)[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes {
                send(descriptor, $0.baseAddress!, $0.count, Int32(MSG_NOSIGNAL))
            }
            // Refused half way: the answer says why.
            guard count > 0 else { break }
            rest = rest.dropFirst(count)
        }
        shutdown(descriptor, Int32(SHUT_WR))
        return descriptor
    }

    func finish(_ descriptor: Int32) -> Answer? {
        defer { close(descriptor) }
        var answer: [UInt8] = []
        var piece = [UInt8](repeating: 0, count: 4096)
        while case let count = read(descriptor, &piece, piece.count), count > 0 {
            answer += piece.prefix(count)
        }
        return parse(String(decoding: answer, as: UTF8.self))
    }

    private func connect(_ descriptor: Int32) -> Bool {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
        return withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                Glibc.connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size)) == 0
            }
        }
    }

    private func parse(_ text: String) -> Answer? {
        let words = text.split(separator: " ", maxSplits: 2)
        guard words.count == 3, let status = Int(words[1]),
            let end = text.range(of: "\r\n\r\n")
        else { return nil }
        return Answer(status: status, body: String(text[end.upperBound...]))
    }
}
