import API

/// `cio node info`.
enum NodeDetails {
    static func text(_ node: NodeView) -> String {
        let lines = [
            ("name", node.name),
            ("ipaddr", node.ip),
            ("port", "\(node.port)"),
            ("nodeid", node.nodeid),
            ("role", node.role),
            ("status", node.status),
            ("volumes", node.volumes.isEmpty ? "-" : node.volumes.joined(separator: ", ")),
        ].map { KeyLine.text($0, $1) }
        let drives = node.drives.map { drive in
            driveLine(
                drive.driveid, drive.type.uppercased(), Size.text(drive.total),
                Size.text(drive.free), drive.status, drive.device)
        }
        let header = driveLine("DRIVE", "TYPE", "SIZE", "FREE", "STATUS", "DEVICE")
        return (lines + ["", header] + drives).joined(separator: "\n")
    }

    private static func driveLine(
        _ id: String, _ type: String, _ total: String, _ free: String, _ status: String,
        _ device: String
    ) -> String {
        var line = ListingLine()
        line.add(id, at: 0)
        line.add(type, at: 11)
        line.add(total, endingAt: 27)
        line.add(free, endingAt: 38)
        line.add(status, at: 40)
        line.add(device, at: 50)
        return line.text
    }
}
