import Engine
import EngineCommands
import FoundationEssentials
import Glibc
import Logging
import MetadataEtcd
import Records
import Ring
import Units

/// What this node goes by, every value checked.
struct Options: Sendable {
    var name: String
    var stateDirectory: String
    var runDirectory: String
    var deviceDirectory: String
    var volumesDirectory: String
    var drives: [DriveOption]
    var address: SocketAddress
    /// For NBD clients of the network.
    var nbdAddress: SocketAddress?
    var isInsecureNetwork: Bool
    var store: StoreOption
    var engine: EngineKind
    var threads: Int
    var boot: BootID
    var liveness: Duration
    var rebuildDelay: Duration
    var roleDelay: Duration
    var logLevel: Logger.Level
    /// Nil: no volume driver is offered to Docker.
    var dockerSocket: String?
    var dockerHost: String

    struct DriveOption: Equatable, Sendable {
        var path: String
        var type: WantedVolume.DriveType
    }

    enum StoreOption: Equatable, Sendable {
        case sqlite(String)
        case etcd([EtcdEndpoint])
        case memory
    }

    private static let secondsMax = 7 * 24 * 60 * 60
    private static let livenessMax = 60 * 60

    init(flags: Flags, environment: [String: String]) throws {
        let values = try OptionValues(flags: flags, environment: environment)
        name = try Self.name(values)
        stateDirectory = try values.path(.stateDir) ?? "/var/lib/cio"
        runDirectory = try values.path(.runDir) ?? "/run/cio"
        deviceDirectory = try values.path(.devDir) ?? "/dev/vdisk"
        volumesDirectory = try values.path(.volumesDir) ?? "/cio/volumes"
        drives = try Self.drives(values)
        isInsecureNetwork = try values.flag(.insecureNetwork)
        let host = values[.address] ?? "127.0.0.1"
        try Self.check(host: host, .address, isInsecureNetwork, values)
        address = SocketAddress(
            host: host, port: UInt16(try values.number(.port, 1...65_535) ?? 7700))
        nbdAddress = try Self.nbdAddress(values, isInsecureNetwork)
        store = try Self.etcd(values, isInsecureNetwork) ?? Self.store(values)
            ?? .sqlite(stateDirectory + "/metadata.sqlite")
        engine = try values.choice(.engine) ?? .auto
        threads = try values.number(.threads, 1...64) ?? 1
        boot = try Self.boot(values)
        liveness = .seconds(try values.number(.liveness, 1...Self.livenessMax) ?? 3)
        rebuildDelay = .seconds(try values.number(.rebuildDelay, 0...Self.secondsMax) ?? 30)
        roleDelay = .seconds(try values.number(.roleDelay, 0...Self.secondsMax) ?? 60)
        logLevel = try values.choice(.logLevel) ?? .info
        dockerSocket = values[.dockerSocket] == "off"
            ? nil : try values.path(.dockerSocket) ?? "/run/docker/plugins/cio.sock"
        dockerHost = try values.path(.dockerHost) ?? "/run/docker.sock"
    }

    private static func name(_ values: OptionValues) throws -> String {
        let name = values[.name] ?? hostName()
        let isFine = name.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"),
                UInt8(ascii: "."):
                true
            default: false
            }
        }
        guard isFine, (1...64).contains(name.utf8.count) else {
            throw values.error(.name, "1 to 64 letters, digits, '-', '_' or '.', not '\(name)'")
        }
        return name
    }

    private static func hostName() -> String {
        var bytes = [CChar](repeating: 0, count: 256)
        guard gethostname(&bytes, bytes.count - 1) == 0 else { return "" }
        let text = String(decoding: bytes.prefix { $0 != 0 }.map(UInt8.init), as: UTF8.self)
        return text.split(separator: ".").first.map(String.init) ?? ""
    }

    private static func drives(_ values: OptionValues) throws -> [DriveOption] {
        let drives = try values.all(.drive).map { text in
            var path = text
            var type = WantedVolume.DriveType.ssd
            if let comma = text.lastIndex(of: ","),
                let named = WantedVolume.DriveType(
                    rawValue: String(text[text.index(after: comma)...]))
            {
                path = String(text[..<comma])
                type = named
            }
            guard let checked = OptionValues.checked(path: path) else {
                throw values.error(.drive, "an absolute path, not '\(path)'")
            }
            return DriveOption(path: checked, type: type)
        }
        for (index, drive) in drives.enumerated()
        where drives[..<index].contains(where: { $0.path == drive.path }) {
            throw values.error(.drive, "another path each time: '\(drive.path)' is there twice")
        }
        return drives
    }

    private static func nbdAddress(
        _ values: OptionValues, _ isInsecureNetwork: Bool
    ) throws -> SocketAddress? {
        guard let text = values[.nbdAddress] else { return nil }
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count == 2, let port = UInt16(parts[1]), port > 0 else {
            throw values.error(
                .nbdAddress, "an address and a port such as 127.0.0.1:10809, not '\(text)'")
        }
        try check(host: String(parts[0]), .nbdAddress, isInsecureNetwork, values)
        return SocketAddress(host: String(parts[0]), port: port)
    }

    private static func check(
        host: String, _ key: OptionKey, _ isInsecureNetwork: Bool, _ values: OptionValues
    ) throws {
        var address = in_addr()
        guard inet_pton(AF_INET, host, &address) == 1 else {
            throw values.error(key, "an IPv4 address such as 127.0.0.1, not '\(host)'")
        }
        let isLoopback = UInt32(bigEndian: address.s_addr) >> 24 == 127
        guard isLoopback || isInsecureNetwork else {
            throw values.error(
                key, "a loopback address, as connections are not authenticated; \(host)"
                    + " needs --insecure-network and a network that is yours alone")
        }
    }

    private static func store(_ values: OptionValues) throws -> StoreOption? {
        guard let text = values[.store] else { return nil }
        if text == "memory" { return .memory }
        if text.hasPrefix("sqlite:"),
            let path = OptionValues.checked(path: String(text.dropFirst("sqlite:".count)))
        {
            return .sqlite(path)
        }
        throw values.error(.store, "sqlite:PATH, with an absolute path, or memory, not '\(text)'")
    }

    /// Members of one cluster. What the metadata service says decides who owns a volume: over a
    /// network that others use as well, they would decide.
    private static func etcd(
        _ values: OptionValues, _ isInsecureNetwork: Bool
    ) throws -> StoreOption? {
        let urls = values.all(.etcd).flatMap { text in
            text.split(separator: ",", omittingEmptySubsequences: false).map {
                $0.trimmingSpaces()
            }
        }
        guard !urls.isEmpty else { return nil }
        guard values[.store] == nil else {
            throw values.error(
                .etcd, "left out where \(values.source(.store)) names a metadata service: it is"
                    + " the one or the other")
        }
        var endpoints: [EtcdEndpoint] = []
        for url in urls {
            let endpoint: EtcdEndpoint
            do throws(EtcdEndpointError) { endpoint = try EtcdEndpoint(url: url) } catch {
                throw values.error(.etcd, "http://HOST:PORT, not '\(url)': \(error)")
            }
            guard !endpoints.contains(endpoint) else {
                throw values.error(.etcd, "another URL each time: '\(url)' is there twice")
            }
            guard endpoint.isLoopback || isInsecureNetwork else {
                throw values.error(
                    .etcd, "at a loopback address, as it is not authenticated; \(endpoint) needs"
                        + " --insecure-network and a network that is yours alone")
            }
            endpoints.append(endpoint)
        }
        guard endpoints.count <= EtcdEndpoint.countMax else {
            throw values.error(.etcd, "at most \(EtcdEndpoint.countMax) URLs")
        }
        return .etcd(endpoints)
    }

    private static func boot(_ values: OptionValues) throws -> BootID {
        let file = "/proc/sys/kernel/random/boot_id"
        let given = values[.bootId]
        let text = given ?? (try? String(contentsOfFile: file, encoding: .utf8)) ?? ""
        let digits = String(text.filter { $0 != "-" && !$0.isWhitespace })
        guard let boot = BootID(text: digits) else {
            throw values.error(.bootId, "32 hex digits, not '\(text)'")
        }
        return boot
    }
}

extension EngineKind: OptionChoice {}
extension Logger.Level: OptionChoice {}

extension Substring {
    fileprivate func trimmingSpaces() -> String {
        var rest = drop { $0 == " " }
        while rest.last == " " { rest.removeLast() }
        return String(rest)
    }
}
