import Glibc
import Hummingbird
import HummingbirdCore
import Logging
import NIOCore
import NIOPosix
import ServiceLifecycle

/// Serves the plugin on its socket, and keeps it up.
///
/// Hummingbird's own server binds by path only; a socket that was handed over goes into the same
/// channels by hand.
public struct PluginServer: Service {
    /// As `docker volume create --driver` has it.
    static let driverName = "cio"

    private let socket: ListeningSocket
    private let plugin: Plugin
    private let logger: Logger

    public init(socket: ListeningSocket, plugin: Plugin, logger: Logger) {
        self.socket = socket
        self.plugin = plugin
        var logger = logger
        logger.logLevel = max(logger.logLevel, .notice)
        self.logger = logger
    }

    /// Until the task is cancelled, or asked to end in an orderly way: connections are closed at
    /// once, as Docker calls again where it gets no answer.
    public func run() async throws {
        await cancelWhenGracefulShutdown {
            await withTaskGroup(of: Void.self) { group in
                group.addTask { await plugin.keepUp() }
                group.addTask { await plugin.watchEngine() }
                group.addTask { await serve() }
                await group.waitForAll()
            }
        }
        if let path = socket.path { unlink(path) }
    }

    private func serve() async {
        let responder = PluginResponder(plugin: plugin)
        let channel = HTTP1Channel { request, writer, connection in
            let (answer, isLast) = await responder.respond(to: request)
            try await writer.write(response: answer.head, body: answer.body)
            // A client that sends more than is ever read would wait for ever.
            if isLast { try await connection.close() }
        }
        do {
            let listener = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
                .childChannelOption(.allowRemoteHalfClosure, value: true)
                .bind(socket.descriptor) { [logger] child in
                    channel.setup(channel: child, logger: logger)
                }
            try await withThrowingDiscardingTaskGroup { group in
                try await listener.executeThenClose { connections in
                    for try await connection in connections {
                        group.addTask { await channel.handle(value: connection, logger: logger) }
                    }
                }
            }
        } catch is CancellationError {
        } catch {
            logger.error("Docker's calls are not heard any more: \(error)")
        }
    }
}
