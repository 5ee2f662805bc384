import API
import ArgumentParser

/// `cio info`.
package struct InfoCommand: AsyncParsableCommand {
    package static let configuration = CommandConfiguration(
        commandName: "info",
        abstract: "Show the cluster: capacity, condition, what a loss costs, the metadata service.",
        discussion: example("cio info", "cio info -c -n v2"), aliases: ["inspect"])

    package init() {}

    @OptionGroup var node: NodeOptions

    @Flag(name: [.customShort("c"), .long], help: "Capacity only.")
    var capacity = false

    @OptionGroup var listing: ListingOptions

    package func run() async throws {
        let info = try await Session.client.cluster(node: node.reference)
        try listing.show(info, as: ClusterDetails.text(info, capacityOnly: capacity))
    }
}
