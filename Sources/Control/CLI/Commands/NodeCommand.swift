import API
import ArgumentParser

/// `cio node`.
package struct NodeCommand: AsyncParsableCommand {
    package static let configuration = CommandConfiguration(
        commandName: "node", abstract: "The machines of the cluster.",
        discussion: example("cio node ls"), subcommands: [List.self, Info.self])

    package init() {}

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "ls", abstract: "List the nodes.",
            discussion: example("cio node ls", "cio node ls --json"), aliases: ["list"])

        @OptionGroup var listing: ListingOptions

        func run() async throws {
            let nodes = try await Session.client.nodes()
            try listing.show(NodeList(nodes: nodes), as: NodeListing.text(nodes))
        }
    }

    struct Info: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "info", abstract: "Show one node and its drives.",
            discussion: example("cio node info v2"), aliases: ["inspect"])

        @OptionGroup var node: NodeChoice
        @OptionGroup var listing: ListingOptions

        func run() async throws {
            let node = try await Session.client.node(node.reference)
            try listing.show(node, as: NodeDetails.text(node))
        }
    }
}
