import API
import ArgumentParser

/// How long to wait for the change to be done.
struct WaitOptions: ParsableArguments {
    @Option(help: ArgumentHelp("Wait this long, 0 to 600; 60 by default.", valueName: "seconds"))
    var wait: Int?

    func validate() throws {
        if let wait, !(0...600).contains(wait) {
            throw ValidationError("--wait takes 0 to 600 seconds, not \(wait)")
        }
    }
}

/// `cio volume attach`.
struct VolumeAttach: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "attach", abstract: "Offer a volume's device at a node, and mount it.",
        discussion: example("cio volume attach db --mount", "cio volume attach db -n v2"))

    @OptionGroup var volume: VolumeChoice
    @OptionGroup var node: NodeOptions

    @Flag(help: "Make the filesystem at first use, and mount it.")
    var mount = false

    @OptionGroup var waiting: WaitOptions

    func run() async throws {
        let request = AttachRequest(
            node: node.reference, mount: mount, waitSeconds: waiting.wait)
        Output.success(try await Session.client.attach(volume.reference, request).message)
    }
}

/// `cio volume detach`.
struct VolumeDetach: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "detach", abstract: "Unmount a volume and take its device away.",
        discussion: example("cio volume detach db"))

    @OptionGroup var volume: VolumeChoice
    @OptionGroup var waiting: WaitOptions

    func run() async throws {
        let request = DetachRequest(waitSeconds: waiting.wait)
        Output.success(try await Session.client.detach(volume.reference, request).message)
    }
}

/// `cio volume move`.
struct VolumeMove: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "move", abstract: "Make another node the owner of a volume.",
        discussion: example("cio volume move db -n v1"))

    @OptionGroup var volume: VolumeChoice
    @OptionGroup var node: NodeOptions
    @OptionGroup var waiting: WaitOptions

    func validate() throws { _ = try node.required() }

    func run() async throws {
        let request = MoveRequest(node: try node.required(), waitSeconds: waiting.wait)
        Output.success(try await Session.client.move(volume.reference, request).message)
    }
}
