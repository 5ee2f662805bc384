import Playground

/// `cio playground status`.
package enum PlaygroundListing {
    package static func text(_ nodes: [PlaygroundStatus]) -> String {
        let header = line("NODENAME", "IP", "PORT", "PID", "STATUS", "SOCKET")
        let rows = nodes.map { node in
            line(
                node.name, node.ip, "\(node.port)", node.pid.map { "\($0)" } ?? "-", node.status,
                node.socket)
        }
        return ([header] + rows).joined(separator: "\n")
    }

    private static func line(
        _ name: String, _ ip: String, _ port: String, _ pid: String, _ status: String,
        _ socket: String
    ) -> String {
        var line = ListingLine()
        line.add(name, at: 0)
        line.add(ip, at: 21)
        line.add(port, at: 39)
        line.add(pid, at: 50)
        line.add(status, at: 61)
        line.add(socket, at: 74)
        return line.text
    }
}
