import ArgumentParser
import CLI
import Playground

extension PlaygroundCommand {
    struct Status: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Show which nodes run, and what the cluster says of them.",
            discussion: "Example:\n  cio playground status --json")

        @OptionGroup var place: PlaygroundPlace
        @OptionGroup var listing: ListingOptions

        func run() async throws {
            let nodes = try await place.open().status()
            try listing.show(nodes, as: PlaygroundListing.text(nodes))
        }
    }

    struct Environment: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "env", abstract: "Print the shell line that points cio at a node.",
            discussion: "Example:\n  eval \"$(cio playground env v2)\"")

        @OptionGroup var place: PlaygroundPlace

        @Argument(help: "The node; v1 by default.")
        var node = "v1"

        func run() throws {
            let node = try place.open().node(named: node, "Show the environment")
            // Quoted for the shell: the folder's name may hold anything.
            let quoted = node.socket.split(separator: "'", omittingEmptySubsequences: false)
                .joined(separator: "'\\''")
            Output.line("export CIO_HOST='\(quoted)'")
        }
    }
}
