import API

/// `cio volume info`: what the original showed, in its order, then what only cio knows.
enum VolumeDetails {
    static func text(_ volume: VolumeView) -> String {
        let lines = attributes(volume) + state(volume)
        let keys = lines.map { KeyLine.text($0.key, $0.value) }
        return (keys + [""] + copies(volume.copies)).joined(separator: "\n")
    }

    private typealias Lines = [(key: String, value: String)]

    private static func attributes(_ volume: VolumeView) -> Lines {
        var lines: Lines = [
            ("vdisk", volume.vdisk),
            ("uuid", volume.uuid),
            ("node", volume.node.isEmpty ? "-" : volume.node),
            ("ipaddr", volume.ipaddr.isEmpty ? "-" : volume.ipaddr),
            ("nodeid", volume.nodeid.isEmpty ? "-" : volume.nodeid),
            ("name", volume.name),
            ("capacity", "\(volume.capacity)GB"),
            ("redundancy", "\(volume.redundancy)-copy"),
            ("drive type", volume.driveType.uppercased()),
            ("local drive only", yesNo(volume.localDriveOnly)),
            ("provisioning", volume.provisioning),
            ("minimum iops", limit(volume.minimumIOPS)),
            ("maximum iops", limit(volume.maximumIOPS)),
        ]
        if let directory = volume.directory { lines.append(("directory", directory)) }
        lines += services(volume)
        lines.append(("filesystem", volume.filesystem))
        let labels = volume.labels.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
        lines.append(("labels", labels.isEmpty ? "-" : labels.joined(separator: ",")))
        lines.append(("allocated", Size.text(volume.allocated)))
        lines.append(("minimum bandwidth", limit(volume.minimumBandwidth, "MiB/s")))
        lines.append(("maximum bandwidth", limit(volume.maximumBandwidth, "MiB/s")))
        return lines
    }

    private static func services(_ volume: VolumeView) -> Lines {
        [
            ("autoexpand enabled", yesNo(volume.autoexpandEnabled)),
            ("autoexpand threshold", limit(volume.autoexpandThreshold, "%")),
            ("autoexpand increment", limit(volume.autoexpandIncrement, "%")),
            ("autoexpand limit", limit(volume.autoexpandLimit)),
            ("autoexpand count", limit(volume.autoexpandCount)),
            ("encryption", yesNo(volume.encryption)),
            ("snapshot", yesNo(volume.snapshot)),
            ("snapshot interval", limit(volume.snapshotInterval, "min")),
            ("maximum snapshots", limit(volume.maximumSnapshots)),
        ]
    }

    private static func yesNo(_ value: Bool) -> String { value ? "yes" : "no" }

    private static func limit(_ value: UInt64?, _ unit: String = "") -> String {
        value.map { "\($0)\(unit)" } ?? "-"
    }

    private static func state(_ volume: VolumeView) -> Lines {
        var lines: Lines = [
            ("copies in sync", "\(volume.copiesInSync) of \(volume.redundancy)"),
            ("last verified", volume.lastVerified.map(EventLine.timeText) ?? "never"),
            ("epoch", "\(volume.epoch)"),
            ("attached", yesNo(volume.isAttached)),
            ("mounted", yesNo(volume.isMounted)),
        ]
        if let device = volume.device { lines.append(("device", device)) }
        if let rebuild = volume.rebuild {
            lines.append(("rebuild progress", RebuildLine.text(rebuild)))
        }
        if let wait = volume.wait {
            lines.append(("waits for", wait.forWhat))
            if let since = wait.since { lines.append(("waits since", EventLine.timeText(since))) }
            lines.append(("wait ends with", wait.endsWith))
        }
        return lines
    }

    private static func copies(_ copies: [CopyView]) -> [String] {
        let header = copyLine(
            "NODENAME", "DRIVE", "STATE", "EPOCH", "STAMP", "ALLOCATED", "LACKS")
        return [header]
            + copies.map { copy in
                copyLine(
                    copy.node, copy.driveid, copy.state, copy.epoch.map { "\($0)" } ?? "-",
                    copy.stamp ?? "-", Size.text(copy.allocated), copy.lacks ?? "-")
            }
    }

    private static func copyLine(
        _ node: String, _ drive: String, _ state: String, _ epoch: String, _ stamp: String,
        _ allocated: String, _ lacks: String
    ) -> String {
        var line = ListingLine()
        line.add(node, at: 0)
        line.add(drive, at: 21)
        line.add(state, at: 31)
        line.add(epoch, endingAt: 48)
        line.add(stamp, endingAt: 58)
        line.add(allocated, endingAt: 69)
        line.add(lacks, at: 71)
        return line.text
    }
}
