import Glibc

/// One node of a playground: everything of it lies in its own folder.
public struct PlaygroundNode: Equatable, Sendable {
    /// 1 for v1.
    public let number: Int
    /// `DIR/v1`, without links.
    public let folder: String
    public let address: String
    public let port: UInt16
    let network: PlaygroundNetwork

    /// Marks the node's processes, and whatever they start.
    static let mark = "CIO_PLAYGROUND_NODE"

    init(number: Int, root: String, network: PlaygroundNetwork) {
        self.number = number
        self.network = network
        folder = "\(root)/v\(number)"
        address = network.address(ofNode: number)
        port = UInt16(7700 + number)
    }

    public var name: String { "v\(number)" }
    public var runFolder: String { "\(folder)/run" }
    public var socket: String { "\(runFolder)/cio.sock" }
    public var dockerSocket: String { "\(runFolder)/docker.sock" }
    public var log: String { "\(folder)/ciod.log" }
    /// Where volumes are mounted: `vdN` below it.
    public var volumesFolder: String { "\(folder)/volumes" }
    /// The boot that the node plays after a power loss; without it, the machine's own.
    var bootFile: String { "\(folder)/boot-id" }
    /// There while the node's cable is unplugged, whether it runs or not.
    var cutFile: String { "\(folder)/cut" }
    var isCut: Bool { access(cutFile, F_OK) == 0 }
    /// Always the same, as a machine's is: others remember it while the node is away. Locally
    /// administered (IEEE 802), with the address in it.
    var hardwareAddress: String {
        "02:00:0a:4d:00:" + (number < 16 ? "0" : "") + String(number, radix: 16)
    }

    static let folderMode: mode_t = 0o711

    /// Sockets and drives are root's alone; whoever may use a mounted volume can reach it.
    var folders: [(path: String, mode: mode_t)] {
        [(folder, Self.folderMode), (volumesFolder, 0o711)]
            + ["run", "state", "dev", "drive"].map { ("\(folder)/\($0)", 0o700) }
    }

    /// What its `ciod` is started with.
    ///
    /// - Parameter store: the options that name the metadata service.
    func arguments(plan: PlaygroundPlan, store: [String], boot: String?) -> [String] {
        var arguments = [
            "--name", name, "--state-dir", "\(folder)/state", "--run-dir", runFolder,
            "--dev-dir", "\(folder)/dev", "--volumes-dir", volumesFolder,
            "--drive", "\(folder)/drive", "--address", address, "--port", "\(port)",
            "--nbd-address", "\(address):\(Limits.nbdPort)", "--docker-socket", dockerSocket,
        ] + store
        if let engine = plan.engine { arguments += ["--engine", engine] }
        if let delay = plan.rebuildDelay { arguments += ["--rebuild-delay", "\(delay)"] }
        if let liveness = plan.liveness { arguments += ["--liveness", "\(liveness)"] }
        // The bridge is this playground's alone.
        if network == .bridged { arguments.append("--insecure-network") }
        if let boot { arguments += ["--boot-id", boot] }
        return arguments
    }
}
