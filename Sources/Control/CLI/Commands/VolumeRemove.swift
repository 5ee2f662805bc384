import API
import ArgumentParser

/// `cio volume rm`.
struct VolumeRemove: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rm", abstract: "Delete a volume and every copy of it.",
        discussion: example("cio volume rm db", "cio volume rm -V 3 -y"),
        aliases: ["remove", "delete"])

    @OptionGroup var volume: VolumeChoice

    @Flag(name: [.customShort("y"), .long], help: "Do not ask.")
    var yes = false

    func run() async throws {
        let client = Session.client
        let found = try await client.volume(volume.reference)
        if !yes {
            try Confirmation.ask(
                "Delete volume \(found.name) (\(found.vdisk), \(found.capacity)GB) and its data?",
                what: "Remove \(found.vdisk)")
        }
        // By id: the name might be another volume's since it was looked up.
        Output.success(try await client.remove("uuid:\(found.id)").message)
    }
}
