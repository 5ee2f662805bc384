import CBlockDevices
import Glibc

/// How a program ended.
public enum ToolStatus: Sendable, Equatable, CustomStringConvertible {
    case exited(Int32)
    case killed(signal: Int32)

    init(waitStatus: Int32) {
        let signal = waitStatus & 0x7f
        self = signal == 0 ? .exited(waitStatus >> 8 & 0xff) : .killed(signal: signal)
    }

    public var description: String {
        switch self {
        case .exited(let code): "exit status \(code)"
        case .killed(let signal): "killed by signal \(signal)"
        }
    }
}

/// Runs programs of the system, without a shell: mkfs and its like.
enum Tool {
    static let folders = ["/usr/sbin", "/sbin", "/usr/bin", "/bin"]
    /// What is kept of a program's output: the end of it, where the error stands.
    static let outputBytesMax = 4096

    /// Runs the program that follows it in a mount namespace without mounts of loop devices. What
    /// is mounted is not touched, only no longer seen there.
    private static let withoutLoopMounts = [
        "unshare", "--mount", "--propagation", "private", "sh", "-c",
        """
        while read -r source point rest; do
            case $source in /dev/loop*) umount -lcn "$(printf %b "$point")" ;; esac
        done </proc/self/mounts
        exec "$0" "$@"
        """,
    ]

    /// Runs a program to its end, which may be far away: it waits for I/O on our own device.
    /// - Parameters:
    ///   - codes: the exit statuses that mean success.
    ///   - hidingLoopMounts: whether it is to see no mount of a loop device, for a program that
    ///     looks at all of them.
    static func run(
        _ name: String, _ arguments: [String], accepting codes: Set<Int32> = [0],
        hidingLoopMounts: Bool = false
    ) throws(BlockDeviceError) {
        let words = (hidingLoopMounts ? withoutLoopMounts : []) + [name] + arguments
        guard path(of: name) != nil else { throw .missingTool(name) }
        guard let path = path(of: words[0]) else { throw .missingTool(words[0]) }
        let command = ([name] + arguments).joined(separator: " ")
        var ends: [Int32] = [-1, -1]
        guard cio_pipe(&ends) == 0 else { throw .last("make a pipe for", name) }
        defer { close(ends[0]) }
        let process: pid_t
        do {
            defer { close(ends[1]) }
            process = try spawn(path, words, output: ends[1])
        }
        let output = drain(ends[0])
        var status: Int32 = 0
        while waitpid(process, &status, 0) < 0 {
            guard errno == EINTR else { throw .last("wait for", command) }
        }
        let end = ToolStatus(waitStatus: status)
        if case .exited(let code) = end, codes.contains(code) { return }
        throw .tool(command: command, status: end, output: output)
    }

    private static func path(of name: String) -> String? {
        folders.map { "\($0)/\(name)" }.first { access($0, X_OK) == 0 }
    }

    /// Reads until the program has closed its outputs, and keeps the end.
    private static func drain(_ pipe: Int32) -> String {
        var output: [UInt8] = []
        var piece = [UInt8](repeating: 0, count: outputBytesMax)
        while true {
            let count = read(pipe, &piece, piece.count)
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { break }
            output = (output + piece.prefix(count)).suffix(outputBytesMax)
        }
        return String(decoding: output, as: UTF8.self)
    }

    /// Standard input from /dev/null, both outputs into the pipe, no signal blocked, plain
    /// messages, and none of our descriptors: those are all close-on-exec.
    private static func spawn(
        _ path: String, _ arguments: [String], output: Int32
    ) throws(BlockDeviceError) -> pid_t {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_adddup2(&actions, output, 1)
        posix_spawn_file_actions_adddup2(&actions, output, 2)
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        var none = sigset_t()
        sigemptyset(&none)
        posix_spawnattr_setsigmask(&attributes, &none)
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK))

        var words = (arguments.map { strdup($0) }) + [nil]
        let paths = "PATH=" + folders.joined(separator: ":")
        var environment = [strdup(paths), strdup("LC_ALL=C"), nil]
        defer { (words + environment).forEach { free($0) } }
        var process: pid_t = 0
        let failure = posix_spawn(&process, path, &actions, &attributes, &words, &environment)
        guard failure == 0 else {
            throw .system(operation: "start", object: path, errno: failure)
        }
        return process
    }
}
