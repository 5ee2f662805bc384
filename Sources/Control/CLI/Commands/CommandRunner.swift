import API
import ArgumentParser

/// Runs a command line to its exit status: 0 for success, 1 for a failure, 64 for a command line
/// that is none (EX_USAGE of sysexits.h).
package enum CommandRunner {
    package static func run(
        _ root: any AsyncParsableCommand.Type, _ arguments: [String]
    ) async -> Int32 {
        do {
            var command = try root.parseAsRoot(arguments)
            if var asynchronous = command as? any AsyncParsableCommand {
                try await asynchronous.run()
            } else {
                try command.run()
            }
            return 0
        } catch let failure as APIError {
            Output.failure("\(failure)")
            return 1
        } catch {
            return report(error, of: root)
        }
    }

    /// Help is no failure; a wrong command line is told in one line.
    private static func report(
        _ error: any Error, of root: any AsyncParsableCommand.Type
    ) -> Int32 {
        let status = root.exitCode(for: error)
        guard status != .success else {
            Output.line(root.fullMessage(for: error))
            return 0
        }
        Output.failure(oneLine(root.message(for: error), full: root.fullMessage(for: error)))
        return status.rawValue
    }

    /// The message without the usage that the parser adds, but with where to find it.
    static func oneLine(_ message: String, full: String) -> String {
        let words = message.split(separator: "\n").map { trimmed($0) }.joined(separator: " ")
        let hint = full.split(separator: "\n").map { trimmed($0) }.last { $0.hasPrefix("See '") }
        let help = hint?.split(separator: "'").dropFirst().first ?? "cio --help"
        return "\(words); see \(help)"
    }

    private static func trimmed(_ line: Substring) -> Substring {
        line.drop { $0 == " " }
    }
}
