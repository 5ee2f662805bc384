import AsyncHTTPClient
import FoundationEssentials
import Glibc
import NIOCore
import NIOFoundationEssentialsCompat

/// Docker itself, where its socket can be reached: its own account of its containers.
struct DockerEngine: Sendable {
    let socketPath: String

    /// The names of cio's volumes that containers use which run, or may at any moment; nil where
    /// Docker does not answer.
    func volumesInUse() async -> Set<String>? {
        guard let list = await answer(to: request("/containers/json?all=1")) else { return nil }
        return try? Self.volumes(in: list)
    }

    /// Of the Engine API, in the newest version that the engine has.
    func request(_ path: String) -> HTTPClientRequest {
        var request = HTTPClientRequest(url: "http+unix://\(Self.encoded(socketPath))\(path)")
        request.headers.add(name: "host", value: "docker")
        return request
    }

    /// The body of a good answer; nil where there is none.
    func answer(to request: HTTPClientRequest) async -> Data? {
        do {
            let response = try await Self.http.execute(request, timeout: .seconds(5))
            guard response.status == .ok else { return nil }
            return Data(buffer: try await response.body.collect(upTo: Self.bodyBytesMax))
        } catch {
            return nil
        }
    }

    /// Whether anybody listens at the socket: never waits, and asks nothing. An engine that hangs
    /// is there.
    func sign() -> EngineSign {
        let descriptor = socket(
            AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue),
            0)
        guard descriptor >= 0 else { return .unclear }
        defer { close(descriptor) }
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        guard socketPath.utf8.count < MemoryLayout.size(ofValue: address.sun_path) else {
            return .unclear
        }
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: socketPath.utf8) }
        let result = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        if result == 0 { return .there }
        // unix(7): no socket at all, or one that nobody listens at any more.
        return errno == ENOENT || errno == ECONNREFUSED ? .absent : .unclear
    }

    /// Thousands of containers, some KiB each.
    private static let bodyBytesMax = 64 << 20

    /// For the life of the process.
    private static let http: HTTPClient = {
        var configuration = HTTPClient.Configuration()
        configuration.timeout.connect = .seconds(2)
        configuration.connectionPool.retryConnectionEstablishment = false
        // Docker's socket may be another one the next time.
        configuration.connectionPool.idleTimeout = .seconds(1)
        return HTTPClient(configuration: configuration)
    }()

    /// `GET /containers/json`, as far as it matters here.
    private struct Container: Decodable {
        struct Mount: Decodable {
            var Name: String?
            var Driver: String?
        }
        var State: String
        var Mounts: [Mount]?
    }

    /// A container that has ended, or was never started, uses nothing. (One that is being started
    /// still shows so: that is what a reference's youth is for.)
    private static let idle: Set<String> = ["created", "exited", "dead"]

    static func volumes(in list: Data) throws -> Set<String> {
        var names: Set<String> = []
        for container in try JSONDecoder().decode([Container].self, from: list)
        where !idle.contains(container.State) {
            for mount in container.Mounts ?? [] where mount.Driver == PluginServer.driverName {
                if let name = mount.Name { names.insert(name) }
            }
        }
        return names
    }

    private static func encoded(_ path: String) -> String {
        path.utf8.map { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."),
                UInt8(ascii: "_"):
                String(UnicodeScalar(byte))
            default:
                "%" + String(byte >> 4, radix: 16) + String(byte & 15, radix: 16)
            }
        }.joined()
    }
}
