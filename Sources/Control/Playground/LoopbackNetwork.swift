import API
import Glibc

/// Loopback addresses: all of 127.0.0.0/8 is there without being set up.
enum LoopbackNetwork {
    /// A network 127.77.x.0 on which no other playground listens. `first` is where the search
    /// begins, so that two playgrounds rarely meet.
    static func choose(nodes: Int, from first: Int) throws(APIError) -> Int {
        for step in 0..<Limits.networksMax {
            let network = (first + step) % 254 + 1
            let isFree = (1...nodes).allSatisfy { number in
                let node = PlaygroundNode(number: number, root: "", network: network)
                return canListen(node.address, node.port)
            }
            if isFree { return network }
        }
        throw APIError(
            what: "Choose addresses", why: "\(Limits.networksMax) networks 127.77.x.0 are in use",
            next: "take down playgrounds that nobody needs")
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
