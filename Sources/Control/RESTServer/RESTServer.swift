import Control
import Glibc
import Hummingbird
import Logging
import ServiceLifecycle
import Synchronization

/// The REST API on a unix socket. Who may open the socket may do everything: it is its owner's
/// alone, in a folder that is its owner's alone.
public struct RESTServer: Service {
    private let path: String
    private let requests: Requests
    private let logger: Logger

    /// Longest path of a unix socket, with its final zero; unix(7).
    public static let pathBytesMax = 107
    /// The socket is there when the node has read the cluster's records, or after this time: who asks
    /// before would hear that there is nothing.
    private static let informed = Duration.seconds(10)

    public init(path: String, requests: Requests, logger: Logger) {
        self.path = path
        self.requests = requests
        self.logger = logger
    }

    /// Until the task is cancelled, or asked to end in an orderly way.
    public func run() async throws {
        await cancelWhenGracefulShutdown { [requests] in
            await requests.waitUntilInformed(atMost: Self.informed)
        }
        let ending = Flag()
        let path = path
        var logger = logger
        logger.logLevel = max(logger.logLevel, .notice)
        let application = Application(
            responder: APIResponder(requests: requests, isEnding: { ending.isSet }),
            configuration: ApplicationConfiguration(
                address: .unixDomainSocket(path: path), serverName: "cio"),
            onServerRunning: { _ in chmod(path, 0o600) }, logger: logger)
        try await withGracefulShutdownHandler {
            try await application.run()
        } onGracefulShutdown: {
            ending.set()
        }
        unlink(path)
    }
}

private final class Flag: Sendable {
    private let value = Mutex(false)
    var isSet: Bool { value.withLock { $0 } }
    func set() { value.withLock { $0 = true } }
}
