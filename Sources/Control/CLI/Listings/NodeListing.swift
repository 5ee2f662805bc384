import API

/// `cio node ls`.
enum NodeListing {
    static func text(_ nodes: [NodeView]) -> String {
        let header = line("NODENAME", "IP", "NODE_ID", "ROLE", "STATUS")
        let rows = nodes.map { line($0.name, $0.ip, $0.nodeid, $0.role, $0.status) }
        return ([header] + rows).joined(separator: "\n")
    }

    /// `%-20s %-17s %-10s %-10s %s`.
    private static func line(
        _ name: String, _ ip: String, _ id: String, _ role: String, _ status: String
    ) -> String {
        var line = ListingLine()
        line.add(name, at: 0)
        line.add(ip, at: 21)
        line.add(id, at: 39)
        line.add(role, at: 50)
        line.add(status, at: 61)
        return line.text
    }
}
