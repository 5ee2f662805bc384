import API
import FoundationEssentials
import Glibc

extension Playground {
    /// A node's sudden death, as far as one machine can play it: its `ciod`, whatever it had
    /// started and every process that uses its volumes end at once, and its mounts are gone.
    ///
    /// Nothing is lost that was written, as the machine's page cache lives on. With `lostPower`
    /// the node comes back as from another boot, so that cio must assume that it was. Where it
    /// has namespaces, its peers hear nothing of it, as no connection is closed.
    public func kill(_ name: String, lostPower: Bool) async throws {
        let what = "Kill \(name)"
        let node = try node(named: name, what)
        let lock = try PlaygroundLock(folder: folder)
        let isRunning = !processes(of: node).isEmpty
        try await clear(node)
        if lostPower { try writeNewBoot(node, what) }
        guard isRunning else {
            throw APIError(
                what: what, why: "it was not running",
                next: "cio playground start \(name) --dir \(folder)")
        }
        _ = consume lock
    }

    /// Ends every node and removes everything, data as well.
    public func down() async throws {
        let what = "Take down \(folder)"
        let plan = try plan(what)
        do {
            let lock = try PlaygroundLock(folder: folder)
            for node in nodes(plan) { try await clear(node) }
            try await endMembers(plan)
            try await endSwitch()
            // The plan goes last: as long as it is there, `down` can be tried again.
            let parts = nodes(plan).map(\.folder) 
                + ["\(folder)/store", PlaygroundMember.parent(folder)]
            for part in parts + [PlaygroundPlan.file(in: folder), "\(folder)/lock"] {
                try remove(part, what)
            }
            _ = consume lock
        }
        // Only where nothing of anybody else's is in it.
        rmdir(folder)
    }

    /// Takes away what a node's life has left: processes, devices, mounts, namespaces.
    func clear(_ node: PlaygroundNode) async throws {
        let what = "Clear \(node.name)"
        // First of all the cable: ends of connections are not told to anybody.
        let center = node.network == .bridged ? findSwitch() : nil
        try center?.plug(node, isPlugged: false, what)
        let inside = try await namespaces(of: node, what)
        // The keeper goes last. As long as the namespaces are there, so are the devices' paths.
        let others = everything(on: node, inside).filter { $0 != inside?.keeper }
        let left = try await ProcessTable.end(Array(others))
        // A process that hangs on a dead device ends when the device is gone.
        let failures = clearDevices(node.folder)
        let stuck = left.isEmpty ? [] : try await ProcessTable.end(left)
        guard stuck.isEmpty, failures.isEmpty else {
            let pids = stuck.map { "process \($0.pid) does not end" }
            throw APIError(
                what: what, why: (pids + failures).joined(separator: ", "),
                next: "end what uses \(node.volumesFolder), then try again")
        }
        if let inside { try await end(inside, of: node, what) }
        try center?.disconnect(node, what)
    }

    /// With the last process of a mount namespace its mounts end, and with those the devices
    /// that were detached below them.
    private func end(
        _ inside: Namespaces, of node: PlaygroundNode, _ what: String
    ) async throws {
        let loops = LoopTable.below(node.folder)
        var left = try await ProcessTable.end([inside.keeper]).map { "process \($0.pid)" }
        for _ in 0..<(Limits.endSeconds * 100) where left.isEmpty {
            guard loops.contains(where: LoopTable.isAttached) else { return }
            try await Task.sleep(for: .milliseconds(10))
        }
        left += loops.filter(LoopTable.isAttached).map { "/dev/\($0)" }
        throw APIError(
            what: what, why: "\(left.joined(separator: ", ")) does not go away",
            next: "end what uses it, then try again")
    }

    private func writeNewBoot(_ node: PlaygroundNode, _ what: String) throws(APIError) {
        do {
            try Data(UUID().uuidString.lowercased().utf8)
                .write(to: URL(filePath: node.bootFile), options: .atomic)
        } catch { throw APIError(what: what, why: "cannot write \(node.bootFile) (\(error))") }
    }

    /// Never crosses into a mount: a volume that is still mounted would be emptied.
    private func remove(_ path: String, _ what: String) throws(APIError) {
        guard findMounts(path).isEmpty else {
            throw APIError(what: what, why: "something is still mounted below \(path)")
        }
        guard FileManager.default.fileExists(atPath: path) else { return }
        let held = releaseMountPoints(path + "/volumes")
        guard held.isEmpty else {
            throw APIError(what: what, why: held.joined(separator: ", "))
        }
        do { try FileManager.default.removeItem(atPath: path) } catch {
            throw APIError(what: what, why: "cannot remove \(path) (\(error))")
        }
    }
}
