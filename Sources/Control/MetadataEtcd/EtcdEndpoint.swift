import FoundationEssentials

/// Where one member of an etcd cluster answers its clients: `http://HOST:PORT`.
public struct EtcdEndpoint: Hashable, Sendable {
    /// A name or an address; IPv6 in brackets, as in a URL.
    public let host: String
    public let port: UInt16

    public init(host: String, port: UInt16) {
        self.host = host
        self.port = port
    }

    /// The port that etcd's clients go to unless it is told otherwise.
    public static let portDefault: UInt16 = 2379
    /// Endpoints of one cluster: etcd itself advises against more than seven members.
    public static let countMax = 16
    private static let hostBytesMax = 253

    /// Reads a URL. The error says what is wrong with it, to go on after "not '…': ".
    public init(url text: String) throws(EtcdEndpointError) {
        guard !text.lowercased().hasPrefix("https://") else {
            throw EtcdEndpointError("etcd with TLS is not supported yet")
        }
        guard text.lowercased().hasPrefix("http://") else {
            throw EtcdEndpointError("it has to begin with http://")
        }
        var rest = text.dropFirst("http://".count)
        if rest.hasSuffix("/") { rest.removeLast() }
        var host = rest
        var port = Self.portDefault
        if let colon = rest.lastIndex(of: ":"), !rest[colon...].contains("]") {
            guard let number = UInt16(rest[rest.index(after: colon)...]), number > 0 else {
                throw EtcdEndpointError("its port is no number from 1 to 65535")
            }
            host = rest[..<colon]
            port = number
        }
        let allowed = host.utf8.allSatisfy(Self.isHostByte)
        guard allowed, (1...Self.hostBytesMax).contains(host.utf8.count) else {
            throw EtcdEndpointError("a host and a port are all that it may have")
        }
        self.init(host: String(host), port: port)
    }

    /// Letters, digits and what addresses are written with.
    private static func isHostByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."),
            UInt8(ascii: "_"), UInt8(ascii: "["), UInt8(ascii: "]"), UInt8(ascii: ":"):
            true
        default: false
        }
    }

    /// Whether what is sent there stays on this machine for certain. A name could lead anywhere.
    public var isLoopback: Bool {
        let parts = host.split(separator: ".", omittingEmptySubsequences: false)
        return host == "[::1]"
            || parts.count == 4 && parts[0] == "127" && parts.allSatisfy { UInt8($0) != nil }
    }
}

extension EtcdEndpoint: CustomStringConvertible {
    public var description: String { "http://\(host):\(port)" }
}

/// Why a text is no URL of an etcd.
public struct EtcdEndpointError: Error, Equatable, CustomStringConvertible {
    public let description: String

    init(_ description: String) { self.description = description }
}
