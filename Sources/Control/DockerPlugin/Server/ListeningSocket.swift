import Glibc

/// The socket on which Docker calls: handed over by systemd, or made by us.
public struct ListeningSocket: Sendable {
    /// Owned by whoever serves it.
    let descriptor: Int32
    /// To be removed at the end; nil for one that was handed over, which outlives us.
    let path: String?

    public struct Failure: Error, CustomStringConvertible {
        public var description: String
    }

    /// Longest path of a unix socket, with its final zero; unix(7).
    static let pathBytesMax = 107
    /// Names that systemd may give it: `FileDescriptorName=`, or the unit's own.
    private static let names = ["docker", "cio-docker.socket", "unknown", ""]

    /// What `LISTEN_PID` and `LISTEN_FDS` say was handed over to this process, if there is a
    /// listening unix socket for us among it. Others may be there for other purposes.
    ///
    /// - Parameter first: the number of the first descriptor; sd_listen_fds(3).
    public static func inherited(
        environment: [String: String], first: Int32 = 3
    ) -> ListeningSocket? {
        guard environment["LISTEN_PID"] == "\(getpid())",
            let count = environment["LISTEN_FDS"].flatMap({ Int32($0) }), (1...1024).contains(count)
        else { return nil }
        let given = (environment["LISTEN_FDNAMES"] ?? "")
            .split(separator: ":", omittingEmptySubsequences: false)
        for index in 0..<count {
            let name = Int(index) < given.count ? String(given[Int(index)]) : ""
            guard names.contains(name), isListening(first + index) else { continue }
            _ = fcntl(first + index, F_SETFD, FD_CLOEXEC)
            return ListeningSocket(descriptor: first + index, path: nil)
        }
        return nil
    }

    private static func isListening(_ descriptor: Int32) -> Bool {
        func option(_ name: Int32) -> Int32? {
            var value: Int32 = 0
            var size = socklen_t(MemoryLayout<Int32>.size)
            return getsockopt(descriptor, SOL_SOCKET, name, &value, &size) == 0 ? value : nil
        }
        return option(SO_ACCEPTCONN) == 1 && option(SO_DOMAIN) == AF_UNIX
    }

    /// Makes the socket, its owner's alone, and the folders that lead to it. One that a dead
    /// process left is replaced; one that somebody answers on is not.
    public static func make(at path: String) throws(Failure) -> ListeningSocket {
        guard path.utf8.count <= pathBytesMax else {
            throw Failure(description: "\(path) is longer than \(pathBytesMax) bytes")
        }
        try makeFolders(to: path)
        let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { throw failure("make a socket for", path) }
        do throws(Failure) {
            try bind(descriptor, path)
        } catch {
            close(descriptor)
            throw error
        }
        return ListeningSocket(descriptor: descriptor, path: path)
    }

    private static func bind(_ descriptor: Int32, _ path: String) throws(Failure) {
        if isAnswered(path) {
            throw Failure(description: "another process serves \(path) already")
        }
        guard unlink(path) == 0 || errno == ENOENT else { throw failure("replace", path) }
        guard withAddress(path, { Glibc.bind(descriptor, $0, $1) }) == 0,
            chmod(path, 0o600) == 0, listen(descriptor, SOMAXCONN) == 0
        else { throw failure("listen at", path) }
    }

    private static func isAnswered(_ path: String) -> Bool {
        let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { return false }
        defer { close(descriptor) }
        return withAddress(path) { connect(descriptor, $0, $1) } == 0
    }

    private static func withAddress(
        _ path: String, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Int32
    ) -> Int32 {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
        return withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                body($0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
    }

    /// As Docker makes them: everyone may pass, root may write.
    private static func makeFolders(to path: String) throws(Failure) {
        var folder = ""
        for part in path.split(separator: "/").dropLast() {
            folder += "/" + part
            if mkdir(folder, 0o755) == 0 {
                guard chmod(folder, 0o755) == 0 else { throw failure("set the mode of", folder) }
            } else if errno != EEXIST {
                throw failure("make", folder)
            }
        }
    }

    private static func failure(_ operation: String, _ path: String) -> Failure {
        Failure(description: "cannot \(operation) \(path): \(String(cString: strerror(errno)))")
    }
}
