import API
import ArgumentParser

/// `cio volume update`.
struct VolumeUpdate: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "update",
        abstract: "Grow a volume, change its limits and labels, in use or not.",
        discussion: example(
            "cio volume update db -c 25", "cio volume update db -g 5",
            "cio volume update db --iopsmax 5000",
            "cio volume update db --iopsmax 0 --label app="))

    @OptionGroup var volume: VolumeChoice

    @Option(
        name: [.customShort("c"), .long],
        help: ArgumentHelp("Its new capacity; volumes never shrink.", valueName: "GB"))
    var capacity: UInt64?

    @Option(
        name: [.customShort("g"), .customLong("grow")],
        help: ArgumentHelp("By how much it grows.", valueName: "GB"))
    var grow: UInt64?

    @OptionGroup var autoexpand: AutoexpandOptions
    @OptionGroup var limits: LimitOptions
    @OptionGroup var labels: LabelOptions

    func validate() throws {
        guard try request() != UpdateVolumeRequest() else {
            throw ValidationError("say what to change: -c, a limit, --label KEY=VALUE or --autoexpand")
        }
    }

    func run() async throws {
        Output.success(try await Session.client.update(volume.reference, request()).message)
    }

    func request() throws -> UpdateVolumeRequest {
        UpdateVolumeRequest(
            iopsMin: limits.iopsMin, iopsMax: limits.iopsMax, bandwidthMin: limits.bandwidthMin,
            bandwidthMax: limits.bandwidthMax, labels: try labels.labels(),
            capacityGB: capacity, growGB: grow, autoexpand: autoexpand.isEnabled,
            autoexpandThreshold: autoexpand.threshold, autoexpandIncrement: autoexpand.increment,
            autoexpandLimit: autoexpand.limit)
    }
}
