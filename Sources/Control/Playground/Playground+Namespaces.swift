import API
import FoundationEssentials
import Glibc

// Nodes with network and mount namespaces of their own.
extension Playground {
    private var switchLog: String { "\(folder)/switch.log" }

    func findSwitch() -> PlaygroundSwitch? {
        Namespaces.find(of: folder).map(PlaygroundSwitch.init)
    }

    /// Makes what is missing of a node's namespaces and of what connects them, after everything
    /// has been cleared that an earlier life of it left.
    func bringUpNamespaces(_ node: PlaygroundNode) async throws {
        let what = "Start \(node.name)"
        let center: PlaygroundSwitch
        if let found = findSwitch() {
            center = found
        } else {
            center = PlaygroundSwitch(
                namespaces: try await Namespaces.make(
                    .network, for: folder, environment: ownEnvironment, log: switchLog, what))
        }
        try center.prepare(what)
        let inside: Namespaces
        if let found = try await namespaces(of: node, what) {
            inside = found
        } else {
            try await clear(node)
            try makeFolder(node.folder, mode: PlaygroundNode.folderMode, what)
            inside = try await Namespaces.make(
                .networkAndMounts, for: node.folder, environment: environment(of: node),
                log: node.log, what)
        }
        try center.connect(node, inside, what)
    }

    /// Those of a node that runs, or that was killed but for a few processes.
    func namespaces(of node: PlaygroundNode, _ what: String) async throws -> Namespaces? {
        guard node.network == .bridged else { return nil }
        if let found = Namespaces.find(of: node.folder) { return found }
        return try await Namespaces.adopt(
            from: processes(of: node), for: node.folder, environment: environment(of: node),
            log: node.log, what)
    }

    func endSwitch() async throws {
        let stuck = try await ProcessTable.end(
            ProcessTable.marked(Namespaces.mark, folder))
        guard stuck.isEmpty else {
            throw APIError(what: "End the switch", why: "its process does not end")
        }
        unlink(switchLog)
    }

    /// Ours, without what would set options of a `ciod` of this machine.
    var ownEnvironment: [String: String] {
        ProcessInfo.processInfo.environment.filter {
            !$0.key.hasPrefix("CIO_") || $0.key == "CIO_RUN"
        }
    }

    /// What starts a program on a node.
    func command(
        on node: PlaygroundNode, in folder: String? = nil, _ program: String,
        _ arguments: [String], _ what: String
    ) throws(APIError) -> (program: String, arguments: [String]) {
        guard node.network == .bridged else { return (program, arguments) }
        guard let inside = Namespaces.find(of: node.folder) else {
            throw APIError(
                what: what, why: "\(node.name) is not running",
                next: "cio playground start \(node.name) --dir \(self.folder)")
        }
        return try inside.entering(mounts: true, in: folder, program, arguments)
    }

    // MARK: For people

    /// Unplugs a node's network cable. Whatever it sends is lost, and it hears nothing.
    ///
    /// - Returns: what the node still reaches, where that is not what one would expect.
    public func cut(_ name: String) throws -> String? {
        let what = "Cut \(name)"
        let (plan, node) = try bridged(name, what)
        let lock = try PlaygroundLock(folder: folder)
        let wasCut = node.isCut
        do { try Data().write(to: URL(filePath: node.cutFile)) } catch {
            throw APIError(what: what, why: "cannot write \(node.cutFile) (\(error))")
        }
        try findSwitch()?.plug(node, isPlugged: false, what)
        _ = consume lock
        guard !wasCut else {
            throw APIError(
                what: what, why: "it is cut already",
                next: "cio playground uncut \(name) --dir \(folder)")
        }
        return plan.etcdMembers != nil
            ? nil
            : """
            the metadata service is a file, which \(name) still reaches: it has lost only its \
            peers, and nobody takes it for dead; with up --namespaces --etcd a cut takes that too
            """
    }

    /// Plugs it in again.
    public func uncut(_ name: String) throws {
        let what = "Uncut \(name)"
        let (_, node) = try bridged(name, what)
        let lock = try PlaygroundLock(folder: folder)
        let wasCut = node.isCut
        guard unlink(node.cutFile) == 0 || !wasCut else {
            throw APIError(
                what: what,
                why: "cannot remove \(node.cutFile) (\(String(cString: strerror(errno))))")
        }
        try findSwitch()?.plug(node, isPlugged: true, what)
        _ = consume lock
        guard wasCut else { throw APIError(what: what, why: "it is not cut") }
    }

    /// What runs a program on a node, in this process's place: its words and its environment.
    public func entering(
        _ name: String, _ program: String, _ arguments: [String]
    ) throws -> (words: [String], environment: [String: String]) {
        let what = "Run \(program) on \(name)"
        let (_, node) = try bridged(name, what)
        let (first, rest) = try command(
            on: node, in: FileManager.default.currentDirectoryPath, program, arguments, what)
        var environment = ProcessInfo.processInfo.environment
        environment[PlaygroundNode.mark] = node.folder
        environment["CIO_HOST"] = node.socket
        return ([first] + rest, environment)
    }

    private func bridged(
        _ name: String, _ what: String
    ) throws(APIError) -> (PlaygroundPlan, PlaygroundNode) {
        let node = try node(named: name, what)
        guard node.network == .bridged else {
            throw APIError(
                what: what, why: "the nodes have no namespaces of their own",
                next: "take it down, then: cio playground up --namespaces --dir \(folder)")
        }
        return (try plan(what), node)
    }
}
