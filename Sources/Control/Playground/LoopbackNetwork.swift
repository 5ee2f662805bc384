import API
import Glibc

/// Loopback addresses: all of 127.0.0.0/8 is there without being set up.
enum LoopbackNetwork {
    /// Where the playgrounds of this machine tell each other their networks: the link `N` names
    /// the folder of the one that has 127.77.N.0, for as long as that one's plan says the same.
    static let registry = "/run/cio-playground"

    /// Takes a network 127.77.x.0 that no other playground has, and on which nobody listens.
    ///
    /// - Parameters:
    ///   - first: where the search begins, so that two playgrounds rarely meet.
    ///   - save: makes the choice known in the folder's plan; no other playground chooses before
    ///     it returns.
    static func take(
        nodes: Int, for folder: String, from first: Int, registry: String = registry,
        save: (Int) throws(APIError) -> Void
    ) throws(APIError) {
        let what = "Choose addresses"
        guard mkdir(registry, 0o700) == 0 || errno == EEXIST else {
            throw APIError(
                what: what, why: "cannot make \(registry) (\(String(cString: strerror(errno))))")
        }
        let lock = open(registry, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard lock >= 0, flock(lock, LOCK_EX) == 0 else {
            throw APIError(
                what: what, why: "cannot lock \(registry) (\(String(cString: strerror(errno))))")
        }
        defer { close(lock) }
        let numbers = (0..<Limits.networksMax).map { (first + $0) % 254 + 1 }
        let free = numbers.first { network in
            !isTaken(network, registry)
                && (1...nodes).allSatisfy { number in
                    let node = PlaygroundNode(number: number, root: "", network: .loopback(network))
                    return canListen(node.address, node.port)
                }
                && (1...PlaygroundMember.count).allSatisfy { number in
                    let member = PlaygroundMember(number: number, root: "", network: .loopback(network))
                    return canListen(member.address, PlaygroundMember.port)
                }
        }
        guard let free else {
            throw APIError(
                what: what, why: "\(Limits.networksMax) networks 127.77.x.0 are in use",
                next: "take down playgrounds that nobody needs")
        }
        unlink("\(registry)/\(free)")
        guard symlink(folder, "\(registry)/\(free)") == 0 else {
            throw APIError(
                what: what, why: "cannot write in \(registry) (\(String(cString: strerror(errno))))")
        }
        try save(free)
    }

    /// A playground that was removed by hand leaves its link; so the plan decides.
    private static func isTaken(_ network: Int, _ registry: String) -> Bool {
        guard let folder = realpath("\(registry)/\(network)", nil) else { return false }
        defer { free(folder) }
        let plan = try? PlaygroundPlan.load(from: String(cString: folder))
        return plan?.network == network
    }

    private static func canListen(_ host: String, _ port: UInt16) -> Bool {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { return false }
        defer { close(descriptor) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        guard inet_pton(AF_INET, host, &address.sin_addr) == 1 else { return false }
        let status = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        return status == 0
    }
}
