import API

/// `cio profile ls` and `cio profile info`.
enum ProfileListing {
    static func text(_ profiles: [ProfileView]) -> String {
        let lines = profiles.map { line($0.name, EventLine.timeText($0.since)) }
        return ([line("PROFILE", "DATE")] + lines).joined(separator: "\n")
    }

    private static func line(_ name: String, _ date: String) -> String {
        var line = ListingLine()
        line.add(name, at: 0)
        line.add(date, at: 41)
        return line.text
    }

    /// What it says; the rest has the default of the interface.
    static func text(_ details: ProfileDetails) -> String {
        let given = details.attributes
        let lines: [(String, String?)] = [
            ("profile", details.profile.name),
            ("date", EventLine.timeText(details.profile.since)),
            ("capacity", given.capacityGB.map { "\($0)GB" }),
            ("redundancy", given.level.map { "\($0)-copy" }),
            ("drive type", given.type?.uppercased()),
            ("provisioning", given.provision),
            ("minimum iops", given.iopsMin.map { "\($0)" }),
            ("maximum iops", given.iopsMax.map { "\($0)" }),
            ("minimum bandwidth", given.bandwidthMin.map { "\($0)MiB/s" }),
            ("maximum bandwidth", given.bandwidthMax.map { "\($0)MiB/s" }),
            ("directory", given.directory),
            ("autoexpand enabled", given.autoexpand.map { $0 ? "yes" : "no" }),
            ("autoexpand threshold", given.autoexpandThreshold.map { "\($0)%" }),
            ("autoexpand increment", given.autoexpandIncrement.map { "\($0)%" }),
            ("autoexpand limit", given.autoexpandLimit.map { "\($0)" }),
            ("filesystem", given.filesystem),
            ("labels", given.labels.map { labels in
                labels.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
                    .joined(separator: ",")
            }),
        ]
        return lines.compactMap { key, value in value.map { KeyLine.text(key, $0) } }
            .joined(separator: "\n")
    }
}
