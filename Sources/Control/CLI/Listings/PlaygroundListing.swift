import Playground

/// `cio playground status`.
package enum PlaygroundListing {
    package static func text(_ nodes: [PlaygroundStatus]) -> String {
        // Where no node has a cable, nobody misses the column.
        let hasCables = nodes.contains { $0.cable != nil }
        let header = line(
            "NODENAME", "IP", "PORT", "PID", "STATUS", hasCables ? "CABLE" : nil, "SOCKET")
        let rows = nodes.map { node in
            line(
                node.name, node.ip, "\(node.port)", node.pid.map { "\($0)" } ?? "-", node.status,
                hasCables ? node.cable ?? "-" : nil, node.socket)
        }
        return ([header] + rows).joined(separator: "\n")
    }

    private static func line(
        _ name: String, _ ip: String, _ port: String, _ pid: String, _ status: String,
        _ cable: String?, _ socket: String
    ) -> String {
        var line = ListingLine()
        line.add(name, at: 0)
        line.add(ip, at: 21)
        line.add(port, at: 39)
        line.add(pid, at: 50)
        line.add(status, at: 61)
        if let cable { line.add(cable, at: 74) }
        line.add(socket, at: cable == nil ? 74 : 83)
        return line.text
    }
}
