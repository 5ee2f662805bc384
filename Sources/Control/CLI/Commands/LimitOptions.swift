import ArgumentParser

/// What a volume's clients may use at most, and what they count on.
struct LimitOptions: ParsableArguments {
    @Option(
        name: .customLong("iopsmin"),
        help: ArgumentHelp("Reads and writes a second it counts on.", valueName: "n"))
    var iopsMin: UInt64?

    @Option(
        name: .customLong("iopsmax"),
        help: ArgumentHelp("Reads and writes a second at most; 0 for no limit.", valueName: "n"))
    var iopsMax: UInt64?

    @Option(
        name: .customLong("bandwidthmin"),
        help: ArgumentHelp("MiB a second it counts on.", valueName: "MiB"))
    var bandwidthMin: UInt64?

    @Option(
        name: .customLong("bandwidthmax"),
        help: ArgumentHelp("MiB a second at most; 0 for no limit.", valueName: "MiB"))
    var bandwidthMax: UInt64?
}

/// Labels, as KEY=VALUE.
struct LabelOptions: ParsableArguments {
    @Option(help: ArgumentHelp("A label; repeat it for more.", valueName: "key=value"))
    var label: [String] = []

    func validate() throws { _ = try labels() }

    /// Nil when there is none.
    func labels() throws -> [String: String]? {
        var labels: [String: String] = [:]
        for text in label {
            let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard parts.count == 2, !parts[0].isEmpty else {
                throw ValidationError("a label is KEY=VALUE, not '\(text)'")
            }
            guard labels.updateValue(String(parts[1]), forKey: String(parts[0])) == nil else {
                throw ValidationError("the label \(parts[0]) is given twice")
            }
        }
        return labels.isEmpty ? nil : labels
    }
}
