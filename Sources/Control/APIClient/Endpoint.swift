import API
import Glibc

/// Where a node's `ciod` answers: its unix socket.
public struct Endpoint: Equatable, Sendable {
    /// Absolute or relative path of the socket.
    public let socketPath: String

    /// Where `ciod` listens when nobody says otherwise.
    public static let standard = Endpoint(socketPath: "/run/cio/cio.sock")
    /// The variable that points somewhere else.
    public static let variable = "CIO_HOST"
    /// `sun_path` of unix(7), with its final zero.
    static let pathBytesMax = 107

    public init(socketPath: String) { self.socketPath = socketPath }

    /// The endpoint that the environment names: a path, or a URL as `unix:///path`.
    public init(environment: [String: String]) {
        guard let value = environment[Self.variable], !value.isEmpty else {
            self = .standard
            return
        }
        socketPath = value.hasPrefix("unix://") ? String(value.dropFirst(7)) : value
    }

    /// Connects once and hangs up. The HTTP client tells connection errors only in its own
    /// words; a person is better served by the kernel's.
    func check(_ what: String) throws(APIError) {
        guard socketPath.utf8.count <= Self.pathBytesMax else {
            throw failure(what, "the path is longer than \(Self.pathBytesMax) bytes")
        }
        let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { throw failure(what, String(cString: strerror(errno))) }
        defer { close(descriptor) }
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: socketPath.utf8) }
        let status = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        guard status == 0 else { throw failure(what, String(cString: strerror(errno))) }
    }

    private func failure(_ what: String, _ why: String) -> APIError {
        APIError(
            what: what, why: "no ciod answers at \(socketPath) (\(why))",
            next: "start ciod, or point \(Self.variable) at a node's socket")
    }
}
