import Glibc

/// One node of a playground: everything of it lies in its own folder.
public struct PlaygroundNode: Equatable, Sendable {
    /// 1 for v1.
    public let number: Int
    /// `DIR/v1`, without links.
    public let folder: String
    public let address: String
    public let port: UInt16

    /// Marks the node's processes, and whatever they start.
    static let mark = "CIO_PLAYGROUND_NODE"

    init(number: Int, root: String, network: Int) {
        self.number = number
        folder = "\(root)/v\(number)"
        address = "127.77.\(network).\(number)"
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

    /// Sockets and drives are root's alone; whoever may use a mounted volume can reach it.
    var folders: [(path: String, mode: mode_t)] {
        [(folder, 0o711), (volumesFolder, 0o711)]
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
        if let boot { arguments += ["--boot-id", boot] }
        return arguments
    }
}
