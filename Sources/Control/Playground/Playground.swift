import API
import FoundationEssentials
import Glibc

/// A cluster on one machine, for people to play with: every node a `ciod` process of its own,
/// on a loopback address of its own, and one SQLite file as the metadata service of them all, or
/// three etcd members. With namespaces each node has a network and mounts of its own as well, and
/// its cable can be unplugged.
///
/// What is there is always found by looking (marked processes, mounts below the folder), never
/// remembered: so every command works after any other was killed half way.
public struct Playground: Sendable {
    /// Takes down the FUSE disks, loop devices and mounts that dead processes left below a
    /// folder, and says what could not be done.
    public typealias ClearDevices = @Sendable (_ folder: String) -> [String]
    /// The mount points of filesystems on devices below a folder.
    public typealias FindMounts = @Sendable (_ folder: String) -> [String]
    /// Makes mount points below a folder such that they can be removed, and says what could not
    /// be done.
    public typealias ReleaseMountPoints = @Sendable (_ folder: String) -> [String]

    public let folder: String
    let program: String
    let clearDevices: ClearDevices
    let findMounts: FindMounts
    let releaseMountPoints: ReleaseMountPoints

    /// `program` is the `ciod` to start. The folder may be missing.
    public init(
        folder: String, program: String, clearDevices: @escaping ClearDevices,
        findMounts: @escaping FindMounts, releaseMountPoints: @escaping ReleaseMountPoints
    ) {
        // Absolute and without links, as the kernel tells mounts and open files.
        self.folder = Self.resolved(folder)
        self.program = program
        self.clearDevices = clearDevices
        self.findMounts = findMounts
        self.releaseMountPoints = releaseMountPoints
    }

    private static func resolved(_ path: String) -> String {
        var missing: [String] = []
        var head = path.hasPrefix("/") ? path : FileManager.default.currentDirectoryPath + "/" + path
        while head.count > 1, head.hasSuffix("/") { head.removeLast() }
        while true {
            if let found = realpath(head, nil) {
                defer { free(found) }
                return ([String(cString: found)] + missing.reversed()).joined(separator: "/")
            }
            guard let slash = head.lastIndex(of: "/"), slash != head.startIndex else { return path }
            missing.append(String(head[head.index(after: slash)...]))
            head = String(head[..<slash])
        }
    }

    /// The options that name the metadata service to a node: the etcd member beside it first, and
    /// otherwise not the same one for all nodes.
    func store(_ plan: PlaygroundPlan, for node: PlaygroundNode) -> [String] {
        let urls = members(plan).map { "\($0.endpoint)" }
        guard !urls.isEmpty else { return ["--store", "sqlite:\(folder)/store/metadata.sqlite"] }
        let first = (node.network == .bridged ? node.number - 1 : node.number) % urls.count
        return ["--etcd", (urls[first...] + urls[..<first]).joined(separator: ",")]
    }

    func nodes(_ plan: PlaygroundPlan) -> [PlaygroundNode] {
        (1...plan.nodes).map { node($0, plan) }
    }

    private func node(_ number: Int, _ plan: PlaygroundPlan) -> PlaygroundNode {
        PlaygroundNode(number: number, root: folder, network: plan.addresses)
    }

    func plan(_ what: String) throws(APIError) -> PlaygroundPlan {
        guard let plan = try PlaygroundPlan.load(from: folder) else {
            throw APIError(
                what: what, why: "there is no playground in \(folder)",
                next: "make one: cio playground up --dir \(folder)")
        }
        return plan
    }

    /// A node by its name.
    public func node(named name: String, _ what: String) throws(APIError) -> PlaygroundNode {
        let plan = try plan(what)
        guard !members(plan).contains(where: { $0.name == name }) else {
            throw APIError(
                what: what, why: "it is a member of etcd and no node",
                next: "kill its process, see cio playground status; up starts it again")
        }
        guard let node = nodes(plan).first(where: { $0.name == name }) else {
            throw APIError(
                what: what, why: "this playground has no node \(name)",
                next: "its nodes are v1 to v\(plan.nodes)")
        }
        return node
    }

    /// The processes of a node: its `ciod`, and what that has started.
    func processes(of node: PlaygroundNode) -> [ProcessIdentity] {
        ProcessTable.marked(PlaygroundNode.mark, node.folder)
    }

    /// The node's `ciod`; nil when it is dead.
    func daemon(of node: PlaygroundNode) -> ProcessIdentity? {
        processes(of: node).first { $0.program == "ciod" }
    }

    /// Whether its `cio-holder` lives, for which no volume is lost.
    func isHeld(_ node: PlaygroundNode) -> Bool {
        processes(of: node).contains { $0.program == "cio-holder" }
    }

    /// What `kill` would end: the node's processes, all that use its mounts, and all in its
    /// namespaces.
    func everything(on node: PlaygroundNode, _ inside: Namespaces?) -> Set<ProcessIdentity> {
        let mounts = findMounts(node.folder) + [node.volumesFolder]
        let users = ProcessTable.using(mounts)
        return Set(processes(of: node) + users + (inside?.processes ?? []))
    }
}
