import BlockDevices
import Glibc

/// Processes that were killed and hang in the kernel.
enum Dying {
    /// Whether SIGKILL is on its way to one of the process's threads, or its first one is gone.
    static func `is`(_ pid: pid_t) -> Bool {
        guard let leader = status("/proc/\(pid)/status") else { return false }
        if leader["State"]?.hasPrefix("Z") ?? false { return true }
        return OpenFiles.names(in: "/proc/\(pid)/task").contains { thread in
            guard let status = status("/proc/\(pid)/task/\(thread)/status") else { return false }
            return ["SigPnd", "ShdPnd"].contains { mask in
                let pending = status[mask].flatMap { UInt64($0, radix: 16) } ?? 0
                return pending & 1 << UInt64(SIGKILL - 1) != 0
            }
        }
    }

    /// Disks for which a process may wait. Those that are mounted are the least likely: they are
    /// ended only if nothing else helps.
    enum Disks: CaseIterable {
        case none, unmounted, all
    }

    /// Fails all I/O of these disks below a folder.
    static func end(_ disks: Disks, under folder: String) {
        guard disks != .none, let found = try? Leftovers.find(under: folder) else { return }
        for disk in found.disks {
            var rest = found
            let stack = try? rest.takeOut(disk.path, connection: disk.connection)
            if disks == .all || stack?.mountPoints.isEmpty ?? true {
                try? FUSEMount.abort(connection: disk.connection)
            }
        }
    }

    /// The fields of a status file (proc_pid_status(5)).
    private static func status(_ path: String) -> [String: String]? {
        let file = open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { return nil }
        defer { close(file) }
        var bytes = [UInt8](repeating: 0, count: 8192)
        let count = read(file, &bytes, bytes.count)
        guard count > 0 else { return nil }
        let lines = String(decoding: bytes.prefix(count), as: UTF8.self).split(separator: "\n")
        let fields = lines.compactMap { line -> (String, String)? in
            let parts = line.split(separator: ":", maxSplits: 1)
            guard parts.count == 2 else { return nil }
            return (String(parts[0]), String(parts[1].drop { $0 == "\t" || $0 == " " }))
        }
        return Dictionary(fields) { first, _ in first }
    }
}
