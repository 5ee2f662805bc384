import API
import Glibc

/// Starts programs that outlive the one that starts them.
enum Spawning {
    /// POSIX_SPAWN_SETSID of <spawn.h>, which shows it to _GNU_SOURCE only.
    private static let newSession: Int16 = 0x80

    /// A session of its own, standard input from /dev/null, both outputs at the end of a log,
    /// and none of our other descriptors.
    static func start(
        _ program: String, _ arguments: [String], environment: [String: String], log: String
    ) throws(APIError) -> ProcessIdentity {
        let pid = try spawn(program, arguments, environment: environment, flags: newSession) {
            posix_spawn_file_actions_addopen(&$0, 1, log, O_WRONLY | O_CREAT | O_APPEND, 0o600)
            posix_spawn_file_actions_adddup2(&$0, 1, 2)
        }
        guard let identity = ProcessIdentity(pid: pid) else {
            throw APIError(what: "Start \(program)", why: "it ended at once", next: "see \(log)")
        }
        return identity
    }

    /// Standard input from /dev/null, the outputs that `outputs` names, no signal blocked, and
    /// none of our other descriptors.
    static func spawn(
        _ program: String, _ arguments: [String], environment: [String: String],
        flags: Int16 = 0, outputs: (inout posix_spawn_file_actions_t) -> Void
    ) throws(APIError) -> pid_t {
        keepDescriptors()
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        outputs(&actions)
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        var none = sigset_t()
        sigemptyset(&none)
        var all = sigset_t()
        sigfillset(&all)
        posix_spawnattr_setsigmask(&attributes, &none)
        posix_spawnattr_setsigdefault(&attributes, &all)
        let signals = Int16(POSIX_SPAWN_SETSIGMASK) | Int16(POSIX_SPAWN_SETSIGDEF)
        posix_spawnattr_setflags(&attributes, flags | signals)

        var words = ([program] + arguments).map { strdup($0) } + [nil]
        var variables = environment.map { strdup("\($0.key)=\($0.value)") } + [nil]
        defer { (words + variables).forEach { free($0) } }
        var pid: pid_t = 0
        let failure = posix_spawn(&pid, program, &actions, &attributes, &words, &variables)
        guard failure == 0 else {
            throw APIError(what: "Start \(program)", why: String(cString: strerror(failure)))
        }
        return pid
    }

    /// What we were given by our own parent stays ours: a pipe that a daemon holds never ends.
    private static func keepDescriptors() {
        for descriptor in ProcessFile.names(getpid(), "fd").compactMap({ Int32($0) })
        where descriptor > 2 {
            _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
        }
    }
}
