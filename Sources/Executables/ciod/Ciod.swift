import API
import ArgumentParser
import Control
import Engine
import FoundationEssentials
import Glibc
import Logging
import RESTServer
import ServiceLifecycle

/// One node of a cluster.
@main
struct Ciod: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "ciod",
        abstract: "Runs one node of a cio cluster.",
        discussion: """
            Each option can also be given in the environment (CIO_STATE_DIR for --state-dir) or in \
            the configuration file (state-dir = PATH); a flag goes before the environment, and the \
            environment before the file.
            """,
        version: Release.version)

    @OptionGroup var flags: Flags

    func run() async throws {
        // Files and sockets are their owner's alone.
        umask(0o077)
        signal(SIGPIPE, SIG_IGN)
        do {
            let options = try Options(
                flags: flags, environment: ProcessInfo.processInfo.environment)
            LoggingSystem.bootstrap { label in
                var handler = StreamLogHandler.standardError(label: label)
                handler.logLevel = options.logLevel
                return handler
            }
            let node = try await Node.start(options, logger: Logger(label: "ciod"))
            try await node.run()
        } catch let error as StartError {
            FileHandleError.write("Fail: start ciod: \(error)\n")
            throw ExitCode(1)
        }
    }
}

/// Why this node cannot run: what is wrong, and what to do.
struct StartError: Error, CustomStringConvertible {
    var description: String
}

enum FileHandleError {
    static func write(_ text: String) {
        _ = text.withCString { Glibc.write(STDERR_FILENO, $0, strlen($0)) }
    }
}
