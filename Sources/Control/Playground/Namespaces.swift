import API
import Glibc

/// Namespaces of a playground's own: network and mounts of a node, or the network of its switch.
///
/// The kernel keeps a namespace as long as a process is in it. So each has a keeper, a process
/// that only sleeps: with it and all the others in there everything is gone, mounts and network
/// devices as well. Nothing of it has a name in the machine's own namespaces.
struct Namespaces: Equatable, Sendable {
    let keeper: ProcessIdentity

    /// Marks keepers, and nobody else: the value says whose.
    static let mark = "CIO_PLAYGROUND_KEEPER"

    enum Kind {
        case network
        case networkAndMounts

        /// A machine's later mounts and unmounts are seen in there as well, or old mounts would
        /// be held for ever; nothing that is mounted in there is seen outside.
        fileprivate var options: [String] {
            switch self {
            case .network: ["--net"]
            case .networkAndMounts: ["--net", "--mount", "--propagation", "slave"]
            }
        }
    }

    /// Nil where there are none. `owner` is the folder of a node, or of the playground.
    static func find(of owner: String) -> Namespaces? {
        ProcessTable.marked(mark, owner).first { $0.program == "sleep" }.map(Namespaces.init)
    }

    static func make(
        _ kind: Kind, for owner: String, environment: [String: String], log: String,
        _ what: String
    ) async throws -> Namespaces {
        let unshare = try SystemProgram("unshare", package: "util-linux")
        return try await startKeeper(
            unshare, kind.options, for: owner, environment: environment, log: log, what)
    }

    /// Those of a node whose keeper has been killed, but not all the others in there: they get
    /// another keeper. Nil where there are none.
    ///
    /// They must not lose the last process that serves no disk: the kernel unmounts what is
    /// mounted in there when the last of all ends, and waits for its disk.
    static func adopt(
        from processes: [ProcessIdentity], for owner: String, environment: [String: String],
        log: String, _ what: String
    ) async throws -> Namespaces? {
        let own = ProcessFile.link(getpid(), "ns/mnt")
        guard let inside = processes.first(where: { process in
            ProcessFile.link(process.pid, "ns/mnt").map { $0 != own } ?? false
        }) else { return nil }
        let nsenter = try SystemProgram("nsenter", package: "util-linux")
        return try await startKeeper(
            nsenter, ["--target", "\(inside.pid)", "--net", "--mount"], for: owner,
            environment: environment, log: log, what)
    }

    /// - Parameter program: makes them, or enters them.
    private static func startKeeper(
        _ program: SystemProgram, _ options: [String], for owner: String,
        environment: [String: String], log: String, _ what: String
    ) async throws -> Namespaces {
        let sleep = try SystemProgram("sleep", package: "coreutils")
        var environment = environment
        environment[mark] = owner
        let keeper = try Spawning.start(
            program.path, options + ["--", sleep.path, "infinity"], environment: environment,
            log: log)
        // It becomes the sleeper when it is in there; the kernel shows the new program a moment
        // before its environment, by which others find it.
        while keeper.isAlive,
            keeper.program != "sleep" || !ProcessTable.isMarked(keeper.pid, mark, owner)
        {
            try await Task.sleep(for: .milliseconds(1))
        }
        guard keeper.isAlive else {
            throw APIError(
                what: what, why: "\(program.path) gives it no namespaces", next: "see \(log)")
        }
        return Namespaces(keeper: keeper)
    }

    /// What runs a program in there; it becomes that program, with the same pid.
    ///
    /// - Parameter folder: as seen in there.
    func entering(
        mounts: Bool, in folder: String? = nil, _ program: String, _ arguments: [String]
    ) throws(APIError) -> (program: String, arguments: [String]) {
        let nsenter = try SystemProgram("nsenter", package: "util-linux")
        let options = ["--target", "\(keeper.pid)", "--net"] + (mounts ? ["--mount"] : [])
            + (folder.map { ["--wdns=\($0)"] } ?? [])
        return (nsenter.path, options + ["--", program] + arguments)
    }

    /// Changes network devices in there.
    func ip(_ arguments: String, _ what: String) throws(APIError) {
        let ip = try SystemProgram("ip", package: "iproute2")
        let words = arguments.split(separator: " ").map(String.init)
        let (program, arguments) = try entering(mounts: false, ip.path, words)
        try SystemProgram(at: program).run(arguments, what)
    }

    /// The names of the network devices in there: proc_pid_net(5).
    var networkDevices: [String] {
        let lines = (ProcessFile.text(keeper.pid, "net/dev") ?? "").split(separator: "\n")
        return lines.dropFirst(2).compactMap { line in
            line.split(separator: ":").first?.split(separator: " ").first.map(String.init)
        }
    }

    /// All that are in one of them, the keeper as well.
    var processes: [ProcessIdentity] {
        let own = Set(Self.links(of: getpid()))
        return ProcessTable.inside(Set(Self.links(of: keeper.pid)).subtracting(own))
    }

    /// `net:[4026531840]`: as the kernel names them.
    static func links(of pid: Int32) -> [String] {
        ["ns/net", "ns/mnt"].compactMap { ProcessFile.link(pid, $0) }
    }
}
