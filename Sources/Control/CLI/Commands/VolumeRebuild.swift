import API
import APIClient
import ArgumentParser

/// `cio volume rebuild`.
struct VolumeRebuild: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rebuild", abstract: "Give a node a copy of a volume, or watch a rebuild.",
        discussion: example(
            "cio volume rebuild db --watch", "cio volume rebuild db --local",
            "cio volume rebuild db --to v4 --watch"))

    @OptionGroup var volume: VolumeChoice

    @Flag(help: "A copy for the owner's node; a remote one is given back.")
    var local = false

    @Option(help: ArgumentHelp("A copy for this node.", valueName: "node"))
    var to: String?

    @Flag(help: "Show the progress until every copy is in sync.")
    var watch = false

    func validate() throws {
        guard !(local && to != nil) else { throw ValidationError("use --local or --to, not both") }
        guard local || to != nil || watch else {
            throw ValidationError("say what to do: --local, --to NODE or --watch")
        }
    }

    func run() async throws {
        let client = Session.client
        var target: String?
        if local || to != nil {
            let request = RebuildRequest(local: local ? true : nil, to: to)
            let result = try await client.rebuild(volume.reference, request)
            guard watch else { return Output.success(result.message) }
            target = try await targetName(of: client)
        }
        let watch = RebuildWatch(client: client, volume: volume.reference, target: target)
        Output.success(try await watch.untilDone())
    }

    /// The name of the node that gets the copy.
    private func targetName(of client: APIClient) async throws -> String {
        if let to { return try await client.node(to).name }
        return try await client.volume(volume.reference).node
    }
}
