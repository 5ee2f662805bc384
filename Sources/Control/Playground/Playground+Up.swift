import API
import APIClient
import FoundationEssentials
import Glibc

extension Playground {
    /// Makes the playground, or brings up what of it is down. Returns when all nodes are normal.
    public func up(_ settings: PlaygroundSettings, told: (String) -> Void) async throws {
        let what = "Bring up \(folder)"
        try makeFolder(folder, mode: 0o711, what)
        let lock = try PlaygroundLock(folder: folder)
        let plan = try makePlan(settings, what)
        if plan.etcdMembers == nil { try makeFolder("\(folder)/store", mode: 0o700, what) }
        if plan.addresses == .bridged {
            for node in nodes(plan) { try await bringUpNamespaces(node) }
        }
        try await bringUpMembers(plan, told: told)
        for node in nodes(plan) where daemon(of: node) == nil {
            try await bringUp(node, plan)
            // One by one: roles go by the order of joining.
            told("\(node.name) is up: \(node.address)")
        }
        for node in nodes(plan) { try await awaitNormal(node) }
        _ = consume lock
    }

    /// Starts a node that was killed, or whose `ciod` has ended. Returns when it is normal.
    public func start(_ name: String) async throws {
        let what = "Start \(name)"
        let node = try node(named: name, what)
        let lock = try PlaygroundLock(folder: folder)
        guard daemon(of: node) == nil else {
            throw APIError(what: what, why: "it is running", next: "cio playground kill \(name)")
        }
        let plan = try plan(what)
        if plan.addresses == .bridged {
            try await bringUpNamespaces(node)
            try await bringUpMembers(plan, on: node) { _ in }
        }
        try await bringUp(node, plan)
        _ = consume lock
    }

    private func makePlan(
        _ settings: PlaygroundSettings, _ what: String
    ) throws(APIError) -> PlaygroundPlan {
        if let old = try PlaygroundPlan.load(from: folder) {
            guard settings.fit(old) else {
                throw APIError(
                    what: what, why: "there is a playground with other settings already",
                    next: "take it down first: cio playground down --dir \(folder)")
            }
            return old
        }
        var plan = try settings.plan(what)
        guard plan.addresses != .bridged else {
            try plan.save(to: folder)
            return plan
        }
        let first = Int(folder.utf8.reduce(UInt32(17)) { $0 &* 31 &+ UInt32($1) } % 254)
        try LoopbackNetwork.take(nodes: plan.nodes, for: folder, from: first) {
            (network) throws(APIError) in
            plan.network = network
            try plan.save(to: folder)
        }
        return plan
    }

    /// Starts a node from whatever its last life left, and waits until it is normal. Where only
    /// its `ciod` has ended, and a holder keeps its volumes, the next one goes on with them.
    private func bringUp(_ node: PlaygroundNode, _ plan: PlaygroundPlan) async throws {
        // With namespaces it is a machine that runs on, whose ciod starts again.
        if node.network != .bridged, !isHeld(node) { try await clear(node) }
        for (path, mode) in node.folders {
            try makeFolder(path, mode: mode, "Start \(node.name)")
        }
        let boot = FileManager.default.contents(atPath: node.bootFile)
            .map { String(decoding: $0, as: UTF8.self) }
        let command = try command(
            on: node, program,
            node.arguments(plan: plan, store: store(plan, for: node), boot: boot),
            "Start \(node.name)")
        let process = try Spawning.start(
            command.program, command.arguments, environment: environment(of: node), log: node.log)
        try await awaitNormal(node, process)
    }

    /// With the mark of the node.
    func environment(of node: PlaygroundNode) -> [String: String] {
        var environment = ownEnvironment
        environment[PlaygroundNode.mark] = node.folder
        return environment
    }

    /// Waits until the node itself says that it is normal.
    private func awaitNormal(
        _ node: PlaygroundNode, _ process: ProcessIdentity? = nil
    ) async throws {
        let client = APIClient(endpoint: Endpoint(socketPath: node.socket))
        let deadline = ContinuousClock.now + .seconds(Limits.startSeconds)
        var why = "it has not answered"
        while ContinuousClock.now < deadline {
            if let process, !process.isAlive {
                throw APIError(
                    what: "Start \(node.name)", why: "its ciod has ended", next: "see \(node.log)")
            }
            do {
                let status = try await client.node(node.name).status
                if status == "normal" { return }
                why = "its status is \(status)"
            } catch { why = error.error.why }
            try await Task.sleep(for: .milliseconds(20))
        }
        throw APIError(
            what: "Start \(node.name)", why: "\(why) after \(Limits.startSeconds) s",
            next: "see \(node.log)")
    }

    func makeFolder(_ path: String, mode: mode_t, _ what: String) throws(APIError) {
        let isThere = access(path, F_OK) == 0
        do {
            try FileManager.default.createDirectory(
                atPath: path, withIntermediateDirectories: true)
        } catch { throw APIError(what: what, why: "cannot make \(path) (\(error))") }
        // Whatever the umask is; but a folder of somebody's keeps its mode.
        guard isThere || chmod(path, mode) == 0 else {
            throw APIError(
                what: what, why: "cannot set the mode of \(path) (\(String(cString: strerror(errno))))")
        }
    }
}
