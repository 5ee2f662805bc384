import EngineCommands
import Glibc
import Units

/// Making and setting up sockets. Each answer is a descriptor, or a negative errno.
enum SocketOptions {
    /// Small frames go at once; a peer that acknowledges nothing for the give-up time is gone.
    static func setForData(_ socket: Int32, giveUp: Span) {
        set(socket, Int32(IPPROTO_TCP), TCP_NODELAY, 1)
        let milliseconds = Int32(clamping: giveUp.nanoseconds / 1_000_000)
        set(socket, Int32(IPPROTO_TCP), TCP_USER_TIMEOUT, milliseconds)
    }

    /// A client of the network: one that is gone is found out within half a minute, since it keeps
    /// its volume attached here.
    static func setForClient(_ socket: Int32) {
        set(socket, Int32(IPPROTO_TCP), TCP_NODELAY, 1)
        set(socket, SOL_SOCKET, SO_KEEPALIVE, 1)
        set(socket, Int32(IPPROTO_TCP), TCP_KEEPIDLE, 10)
        set(socket, Int32(IPPROTO_TCP), TCP_KEEPINTVL, 5)
        set(socket, Int32(IPPROTO_TCP), TCP_KEEPCNT, 4)
        set(socket, Int32(IPPROTO_TCP), TCP_USER_TIMEOUT, 30_000)
    }

    static func set(_ socket: Int32, _ level: Int32, _ name: Int32, _ value: Int32) {
        var value = value
        _ = setsockopt(socket, level, name, &value, socklen_t(MemoryLayout<Int32>.size))
    }

    static func address(_ address: SocketAddress) -> sockaddr_in? {
        var result = sockaddr_in()
        result.sin_family = sa_family_t(AF_INET)
        result.sin_port = address.port.bigEndian
        guard inet_pton(AF_INET, address.host, &result.sin_addr) == 1 else { return nil }
        return result
    }

    /// A TCP socket bound to `local`.
    static func tcp(boundTo local: SocketAddress) -> Int32 {
        guard var address = address(local) else { return -EINVAL }
        let socket = Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        if socket < 0 { return -errno }
        set(socket, SOL_SOCKET, SO_REUSEADDR, 1)
        let code = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(socket, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        return code == 0 ? socket : closing(socket)
    }

    /// A socket for connecting out, from the node's own address and any port: the port is chosen
    /// with the connection (IP_BIND_ADDRESS_NO_PORT), so that bound ones are not used up.
    static func outgoing(from local: SocketAddress) -> Int32 {
        let anyPort = SocketAddress(host: local.host, port: 0)
        guard var address = address(anyPort) else { return -EINVAL }
        let socket = Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        if socket < 0 { return -errno }
        set(socket, Int32(IPPROTO_IP), bindAddressNoPort, 1)
        let code = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(socket, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        return code == 0 ? socket : closing(socket)
    }

    /// IP_BIND_ADDRESS_NO_PORT (include/uapi/linux/in.h).
    private static let bindAddressNoPort: Int32 = 24

    static func listening(_ socket: Int32) -> Int32 {
        if socket < 0 { return socket }
        return listen(socket, 512) == 0 ? socket : closing(socket)
    }

    /// A unix socket at `path`; one that nobody listens on any more is replaced.
    static func unix(at path: String) -> Int32 {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        guard path.utf8.count < MemoryLayout.size(ofValue: address.sun_path) else {
            return -ENAMETOOLONG
        }
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
        let socket = Glibc.socket(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        if socket < 0 { return -errno }
        let length = socklen_t(MemoryLayout<sockaddr_un>.size)
        let code = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { place in
                if connect(socket, place, length) == 0 {
                    errno = EADDRINUSE
                    return Int32(-1)
                }
                unlink(path)
                return bind(socket, place, length)
            }
        }
        return code == 0 ? socket : closing(socket)
    }

    /// The port that a socket was given.
    static func port(of socket: Int32) -> UInt16 {
        var address = sockaddr_in()
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let code = withUnsafeMutablePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                getsockname(socket, $0, &length)
            }
        }
        return code == 0 ? UInt16(bigEndian: address.sin_port) : 0
    }

    private static func closing(_ socket: Int32) -> Int32 {
        let code = errno
        Glibc.close(socket)
        return -code
    }
}

func errnoText(_ code: Int32) -> String { String(cString: strerror(code)) }
