import API
import ArgumentParser

/// `cio volume ls`.
struct VolumeList: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "ls", abstract: "List the volumes.",
        discussion: example("cio volume ls -a -n v2"), aliases: ["list"])

    @Flag(name: [.customShort("a"), .long], help: "With what each takes on its drives.")
    var all = false

    @OptionGroup var node: NodeOptions
    @OptionGroup var listing: ListingOptions

    func run() async throws {
        let volumes = try await Session.client.volumes(node: node.reference)
        try listing.show(
            API.VolumeList(volumes: volumes),
            as: VolumeListing.text(volumes, withAllocated: all))
    }
}

/// `cio volume info`.
struct VolumeInfo: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "info", abstract: "Show one volume and each of its copies.",
        discussion: example("cio volume info db", "cio volume info -V 3 --json"),
        aliases: ["inspect"])

    @OptionGroup var volume: VolumeChoice
    @OptionGroup var listing: ListingOptions

    func run() async throws {
        let volume = try await Session.client.volume(volume.reference)
        try listing.show(volume, as: VolumeDetails.text(volume))
    }
}
