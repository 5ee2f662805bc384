import API
import ArgumentParser

/// `cio volume update`.
struct VolumeUpdate: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "update", abstract: "Change limits and labels of a volume, in use or not.",
        discussion: example(
            "cio volume update db --iopsmax 5000",
            "cio volume update db --iopsmax 0 --label app="))

    @OptionGroup var volume: VolumeChoice
    @OptionGroup var limits: LimitOptions
    @OptionGroup var labels: LabelOptions

    func validate() throws {
        guard try request() != UpdateVolumeRequest() else {
            throw ValidationError("say what to change: a limit, or --label KEY=VALUE")
        }
    }

    func run() async throws {
        Output.success(try await Session.client.update(volume.reference, request()).message)
    }

    func request() throws -> UpdateVolumeRequest {
        UpdateVolumeRequest(
            iopsMin: limits.iopsMin, iopsMax: limits.iopsMax, bandwidthMin: limits.bandwidthMin,
            bandwidthMax: limits.bandwidthMax, labels: try labels.labels())
    }
}
