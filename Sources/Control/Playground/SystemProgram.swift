import API
import FoundationEssentials
import Glibc

/// Programs of the system that a playground needs.
struct SystemProgram: Sendable {
    let path: String

    /// Where a shell would find it, and where Debian has those for root.
    init(_ name: String, package: String) throws(APIError) {
        let paths = ProcessInfo.processInfo.environment["PATH"] ?? ""
        let folders = paths.split(separator: ":").map(String.init) + ["/usr/sbin", "/usr/bin"]
        let candidates = folders.map { (folder: String) -> String in "\(folder)/\(name)" }
        guard let found = candidates.first(where: { access($0, X_OK) == 0 }) else {
            throw APIError(
                what: "Start \(name)",
                why: "there is no program \(name) in \(folders.joined(separator: ":"))",
                next: "install it: apt install \(package)")
        }
        path = found
    }

    /// One whose path is known.
    init(at path: String) { self.path = path }

    /// Runs it to its end, which is near. The error has what it wrote.
    func run(_ arguments: [String], _ what: String) throws(APIError) {
        var ends: [Int32] = [-1, -1]
        guard pipe(&ends) == 0 else {
            throw APIError(what: what, why: String(cString: strerror(errno)))
        }
        defer { close(ends[0]) }
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        let pid = try start(arguments, output: ends[1])
        let output = Self.drain(ends[0])
        var status: Int32 = 0
        while waitpid(pid, &status, 0) < 0, errno == EINTR {}
        guard status == 0 else {
            let said = output.split(separator: "\n").joined(separator: ", ")
            throw APIError(
                what: what,
                why: "\(path) \(arguments.joined(separator: " ")): "
                    + (said.isEmpty ? "wait status \(status)" : said))
        }
    }

    /// Closes the output here, so that its end is seen when the program has ended.
    private func start(_ arguments: [String], output: Int32) throws(APIError) -> pid_t {
        defer { close(output) }
        return try Spawning.spawn(
            path, arguments, environment: ["PATH": "/usr/sbin:/usr/bin", "LC_ALL": "C"]
        ) { actions in
            posix_spawn_file_actions_adddup2(&actions, output, 1)
            posix_spawn_file_actions_adddup2(&actions, output, 2)
        }
    }

    private static func drain(_ pipe: Int32) -> String {
        var output: [UInt8] = []
        var piece = [UInt8](repeating: 0, count: 4096)
        while true {
            let count = read(pipe, &piece, piece.count)
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { return String(decoding: output, as: UTF8.self) }
            output += piece.prefix(count)
        }
    }
}
