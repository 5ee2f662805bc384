import API
import ArgumentParser
import CLI
import Glibc
import Playground

// What only nodes with namespaces of their own can have done to them.
extension PlaygroundCommand {
    struct Cut: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Unplug a node's network cable, of a playground with --namespaces.",
            discussion: """
                The node runs on, and neither hears its peers nor is heard, until uncut plugs \
                the cable in again. With --etcd it loses the metadata service too; a SQLite file \
                it still reaches.

                Example:
                  cio playground cut v3
                """)

        @OptionGroup var place: PlaygroundPlace

        @Argument(help: "The node: v1, v2, …")
        var node: String

        func run() async throws {
            let remark = try place.open().cut(node)
            Output.success("Cut \(node)" + (remark.map { ": \($0)" } ?? ""))
        }
    }

    struct Uncut: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Plug it in again.", discussion: "Example:\n  cio playground uncut v3")

        @OptionGroup var place: PlaygroundPlace

        @Argument(help: "The node: v1, v2, …")
        var node: String

        func run() async throws {
            try place.open().uncut(node)
            Output.success("Uncut \(node)")
        }
    }

    struct Exec: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Run a command where a node's network and mounts are seen.",
            discussion: """
                For a playground with --namespaces: the node's mounts are its own, and no other \
                process of this machine sees them. In there cio talks to this node. The status \
                is the command's.

                Example:
                  cio playground exec v2 -- ls -l /var/lib/cio-playground/v2/volumes/vd1
                  cio playground exec v2 -- ping -c 1 10.77.0.1
                  cio playground exec v2 -- bash
                """)

        @OptionGroup var place: PlaygroundPlace

        @Argument(help: "The node: v1, v2, …")
        var node: String

        @Argument(parsing: .postTerminator, help: "The command and its words, after --.")
        var command: [String]

        func validate() throws {
            guard !command.isEmpty else {
                throw ValidationError("what is to be run? cio playground exec v2 -- ls")
            }
        }

        func run() throws {
            let (words, environment) = try place.open().entering(
                node, command[0], Array(command.dropFirst()))
            var arguments = words.map { strdup($0) } + [nil]
            var variables = environment.map { strdup("\($0.key)=\($0.value)") } + [nil]
            execve(words[0], &arguments, &variables)
            throw APIError(what: "Run \(words[0])", why: String(cString: strerror(errno)))
        }
    }
}
