import FoundationEssentials
import Glibc

/// One process for ever: a pid alone is given to another process soon after its end.
public struct ProcessIdentity: Hashable, Sendable {
    public let pid: Int32
    /// In clock ticks since boot: field 22 of proc_pid_stat(5).
    public let startTicks: UInt64

    /// The process that has this pid now; nil when there is none, or only its remains.
    ///
    /// A first thread that has ended is no remains as long as another one is ending: it may still
    /// be the one that unmounts things.
    public init?(pid: Int32) {
        let fields = Self.fields(of: pid)
        guard fields.count > 19, let ticks = UInt64(fields[19]) else { return nil }
        let hasFirstThreadEnded = fields[0] == "Z" || fields[0] == "X"
        guard !hasFirstThreadEnded || UInt64(fields[17]) ?? 0 > 1 else { return nil }
        self.pid = pid
        startTicks = ticks
    }

    static func parent(of pid: Int32) -> Int32? {
        let fields = fields(of: pid)
        return fields.count > 1 ? Int32(fields[1]) : nil
    }

    /// The fields of its stat file from the third on, the state.
    private static func fields(of pid: Int32) -> [Substring] {
        guard let stat = ProcessFile.text(pid, "stat"),
            // The name in parentheses may hold anything, parentheses as well.
            let end = stat.lastIndex(of: ")")
        else { return [] }
        return stat[stat.index(after: end)...].split(separator: " ")
    }

    /// The name of the file that it runs, without its folder, as it was when the file was
    /// replaced; nil for what has ended.
    var program: String? {
        guard let path = ProcessFile.link(pid, "exe") else { return nil }
        let name = path.split(separator: "/").last.map(String.init) ?? ""
        let removed = " (deleted)"
        return name.hasSuffix(removed) ? String(name.dropLast(removed.count)) : name
    }

    public var isAlive: Bool { ProcessIdentity(pid: pid) == self }

    /// Ends it at once. Nothing happens when it is gone already.
    func kill() {
        guard isAlive else { return }
        _ = Glibc.kill(pid, SIGKILL)
    }
}

/// Files of /proc/PID. Reading them never touches the filesystems that the process uses.
enum ProcessFile {
    static func text(_ pid: Int32, _ name: String) -> String? {
        bytes(pid, name).map { String(decoding: $0, as: UTF8.self) }
    }

    static func bytes(_ pid: Int32, _ name: String) -> [UInt8]? {
        let descriptor = open("/proc/\(pid)/\(name)", O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var all: [UInt8] = []
        var piece = [UInt8](repeating: 0, count: 16 << 10)
        while true {
            let count = read(descriptor, &piece, piece.count)
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { return nil }
            guard count > 0 else { return all }
            all += piece.prefix(count)
        }
    }

    static func link(_ pid: Int32, _ name: String) -> String? {
        var target = [CChar](repeating: 0, count: Int(PATH_MAX))
        let count = readlink("/proc/\(pid)/\(name)", &target, target.count)
        guard count > 0 else { return nil }
        return String(decoding: target.prefix(count).map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    static func names(_ pid: Int32, _ folder: String) -> [String] {
        (try? FileManager.default.contentsOfDirectory(atPath: "/proc/\(pid)/\(folder)")) ?? []
    }
}
