import API

/// `cio volume ls`.
enum VolumeListing {
    /// With a column of what each takes on its drives, when asked for.
    static func text(_ volumes: [VolumeView], withAllocated: Bool = false) -> String {
        var header = line("NODENAME", "VDISK", "DRIVE", "TYPE", "SIZE", "UUID", "VOLUMENAME")
        if withAllocated { header.add("ALLOCATED", endingAt: 109) }
        let rows = volumes.map { volume in
            var row = line(
                volume.node.isEmpty ? "-" : volume.node, volume.vdisk,
                volume.driveType.uppercased(), "\(volume.redundancy)-copy", "\(volume.capacity)GB",
                volume.uuid, volume.name)
            if withAllocated { row.add(Size.text(volume.allocated), endingAt: 109) }
            return row.text
        }
        return ([header.text] + rows).joined(separator: "\n")
    }

    private static func line(
        _ node: String, _ vdisk: String, _ drive: String, _ type: String, _ size: String,
        _ uuid: String, _ name: String
    ) -> ListingLine {
        var line = ListingLine()
        line.add(node, at: 0)
        line.add(vdisk, at: 21)
        line.add(drive, at: 31)
        line.add(type, at: 37)
        line.add(size, endingAt: 65)
        line.add(uuid, at: 67)
        line.add(name, at: 77)
        return line
    }
}
