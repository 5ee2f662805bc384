import FoundationEssentials
import Glibc

/// Processes found by what they are, never by a name.
enum ProcessTable {
    private static var pids: [Int32] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
        return names.compactMap { Int32($0) }.filter { $0 != getpid() }
    }

    /// Those that were started with this variable in their environment, and their children:
    /// a mark that survives the death of whoever started them.
    static func marked(_ variable: String, _ value: String) -> [ProcessIdentity] {
        pids.compactMap { pid in
            guard let identity = ProcessIdentity(pid: pid), isMarked(pid, variable, value)
            else { return nil }
            return identity
        }
    }

    static func isMarked(_ pid: Int32, _ variable: String, _ value: String) -> Bool {
        let mark = Array("\(variable)=\(value)".utf8)
        return (ProcessFile.bytes(pid, "environ") ?? []).split(separator: 0)
            .contains { $0.elementsEqual(mark) }
    }

    /// Those that run from, work in, or have open something below one of the folders; but not
    /// the shell of whoever asks, who may stand in one of them.
    static func using(_ folders: [String]) -> [ProcessIdentity] {
        let spared = ancestors()
        func isBelow(_ path: String?) -> Bool {
            guard let path else { return false }
            return folders.contains { path == $0 || path.hasPrefix($0 + "/") }
        }
        return pids.compactMap { pid in
            guard !spared.contains(pid), let identity = ProcessIdentity(pid: pid)
            else { return nil }
            let places = ["cwd", "root", "exe"] + ProcessFile.names(pid, "fd").map { "fd/\($0)" }
            return places.contains { isBelow(ProcessFile.link(pid, $0)) } ? identity : nil
        }
    }

    /// Those that are in one of the namespaces, named as the kernel names them.
    static func inside(_ namespaces: Set<String>) -> [ProcessIdentity] {
        pids.compactMap { pid in
            guard !namespaces.isDisjoint(with: Namespaces.links(of: pid)) else { return nil }
            return ProcessIdentity(pid: pid)
        }
    }

    private static func ancestors() -> Set<Int32> {
        var found: Set<Int32> = []
        var pid = getppid()
        while pid > 1, found.insert(pid).inserted { pid = ProcessIdentity.parent(of: pid) ?? 1 }
        return found
    }

    /// Kills them all before it waits for any: a machine's death takes everything at once.
    /// Returns those that are not gone in time.
    static func end(_ processes: [ProcessIdentity]) async throws -> [ProcessIdentity] {
        for process in processes { process.kill() }
        var left = processes
        for _ in 0..<(Limits.endSeconds * 100) {
            left.removeAll { !$0.isAlive }
            if left.isEmpty { break }
            try await Task.sleep(for: .milliseconds(10))
        }
        return left
    }
}
