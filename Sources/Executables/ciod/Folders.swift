import FoundationEssentials
import Glibc
import Units

/// The node's own folders, and what identifies it.
struct Folders {
    let options: Options

    /// Makes what is missing. Mount points can be reached by everyone, all else by root only.
    func make() throws {
        for path in [options.stateDirectory, options.runDirectory, options.deviceDirectory] {
            try Self.make(path, mode: 0o700)
        }
        try Self.make(options.volumesDirectory, mode: 0o711)
        try Self.make(options.runDirectory + "/disks", mode: 0o700)
        if chmod(options.runDirectory, 0o700) != 0 {
            throw Self.failure("set the mode of", options.runDirectory)
        }
    }

    /// Like `mkdir -p`; folders that are there keep their modes.
    static func make(_ path: String, mode: mode_t) throws {
        var made = ""
        for part in path.split(separator: "/") {
            made += "/" + part
            if mkdir(made, mode) == 0 {
                guard chmod(made, mode) == 0 else { throw failure("set the mode of", made) }
            } else if errno != EEXIST {
                throw failure("make", made)
            }
        }
        var status = stat()
        guard stat(path, &status) == 0, status.st_mode & S_IFMT == S_IFDIR else {
            throw StartError(description: "\(path) is not a folder")
        }
    }

    static func failure(_ operation: String, _ path: String) -> StartError {
        StartError(description: "cannot \(operation) \(path): \(String(cString: strerror(errno)))")
    }

    /// Keeps a second process from running the same node, for the life of this one.
    func lock() throws {
        let path = options.stateDirectory + "/lock"
        let file = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard file >= 0 else { throw Self.failure("open", path) }
        if flock(file, LOCK_EX | LOCK_NB) != 0, !takeFromTheDying(file) {
            throw StartError(
                description: "another ciod runs with the state folder"
                    + " \(options.stateDirectory); stop it, or choose another with --state-dir")
        }
        let text = "\(getpid())\n"
        guard ftruncate(file, 0) == 0, pwrite(file, text, text.utf8.count, 0) == text.utf8.count
        else { throw Self.failure("write", path) }
    }

    /// A `ciod` that was killed takes a moment to end; and one that waited for its own disk, to
    /// mount it or to unmount it, ends only when that disk does. Whether the lock is ours.
    private func takeFromTheDying(_ file: Int32) -> Bool {
        for attempt in Dying.Disks.allCases {
            var bytes = [UInt8](repeating: 0, count: 32)
            let count = pread(file, &bytes, bytes.count, 0)
            let text = String(decoding: bytes.prefix(max(0, count)), as: UTF8.self)
            guard let pid = pid_t(text.filter { !$0.isWhitespace }), Dying.is(pid) else {
                return false
            }
            Dying.end(attempt, under: options.runDirectory)
            for _ in 0..<100 {
                if flock(file, LOCK_EX | LOCK_NB) == 0 { return true }
                usleep(20_000)
            }
        }
        return false
    }

    /// The node's id: made at the first start, durable before it is used.
    func nodeID() throws -> NodeID {
        let path = options.stateDirectory + "/node-id"
        if let data = FileManager.default.contents(atPath: path) {
            let text = String(decoding: data, as: UTF8.self).filter { !$0.isWhitespace }
            guard let id = NodeID(text: text) else {
                throw StartError(
                    description: "\(path) holds no id of 32 hex digits; if this node is new,"
                        + " remove it")
            }
            return id
        }
        let id = NodeID.random()
        try Self.writeDurably(id.text + "\n", to: path)
        return id
    }

    private static func writeDurably(_ text: String, to path: String) throws {
        let new = path + ".new"
        let file = open(new, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
        guard file >= 0 else { throw failure("make", new) }
        defer { close(file) }
        guard write(file, text, text.utf8.count) == text.utf8.count, fsync(file) == 0,
            rename(new, path) == 0
        else { throw failure("write", path) }
        let parent = String(path[..<path.lastIndex(of: "/")!])
        let folder = open(parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard folder >= 0 else { throw failure("open", parent) }
        defer { close(folder) }
        guard fsync(folder) == 0 else { throw failure("sync", parent) }
    }
}
