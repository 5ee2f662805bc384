import API
import ArgumentParser

/// `cio volume create`. What is left out, the node decides: the defaults of the interface.
struct VolumeCreate: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "create", abstract: "Add a volume.",
        discussion: example(
            "cio volume create db -c 10 -l 3 -n v3", "cio volume create db -p MYSQL -c 50",
            "cio volume create web --copies-on v2,v3 --label app=shop"),
        aliases: ["add"])

    @Argument(help: "Its name; by default vdN, the vdisk it gets.")
    var name: String?

    @Option(name: [.customShort("c"), .long], help: "Capacity in GB: 1 to 65536; 20 by default.")
    var capacity: UInt64?

    @Option(name: [.customShort("l"), .long], help: "Copies: 1 to 3; 2 by default.")
    var level: Int?

    @OptionGroup var node: NodeOptions

    @Option(
        name: [.customShort("p"), .long],
        help: "A profile, for what is left out: cio profile ls.")
    var profile: String?

    @Option(name: [.customShort("P"), .long], help: "thin.")
    var provision: String?

    @Option(name: [.customShort("t"), .long], help: "Drive type: ssd (default) or hdd.")
    var type: String?

    @Option(name: [.customShort("f"), .long], help: "Filesystem: xfs (default), ext4 or btrfs.")
    var filesystem: String?

    @Option(name: [.customShort("D"), .long], help: "Mount it at <directory>/vdN.")
    var directory: String?

    @OptionGroup var autoexpand: AutoexpandOptions
    @OptionGroup var limits: LimitOptions
    @OptionGroup var labels: LabelOptions

    @Option(
        name: .customLong("copies-on"),
        help: ArgumentHelp("Nodes that hold the copies.", valueName: "node,…"))
    var copiesOn: String?

    func run() async throws {
        Output.success(try await Session.client.create(request()).message)
    }

    func request() throws -> CreateVolumeRequest {
        CreateVolumeRequest(
            name: name, capacityGB: capacity, level: level, filesystem: filesystem,
            directory: directory, provision: provision, type: type,
            copiesOn: copiesOn?.split(separator: ",", omittingEmptySubsequences: false)
                .map(String.init),
            labels: try labels.labels(), iopsMin: limits.iopsMin, iopsMax: limits.iopsMax,
            bandwidthMin: limits.bandwidthMin, bandwidthMax: limits.bandwidthMax,
            autoexpand: autoexpand.isEnabled, autoexpandThreshold: autoexpand.threshold,
            autoexpandIncrement: autoexpand.increment, autoexpandLimit: autoexpand.limit, profile: profile,
            node: node.reference)
    }
}
