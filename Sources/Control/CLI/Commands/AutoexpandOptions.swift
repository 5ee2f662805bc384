import ArgumentParser

/// How a volume grows by itself.
struct AutoexpandOptions: ParsableArguments {
    enum YesNo: String, ExpressibleByArgument, CaseIterable { case yes, no }

    @Option(help: "Whether it grows when its filesystem fills up: yes or no (default).")
    var autoexpand: YesNo?

    @Option(
        name: .customLong("autoexpand-threshold"),
        help: ArgumentHelp("From so much of it in use; 80 by default.", valueName: "%"))
    var threshold: UInt64?

    @Option(
        name: .customLong("autoexpand-increment"),
        help: ArgumentHelp("By so much of its capacity; 20 by default.", valueName: "%"))
    var increment: UInt64?

    @Option(
        name: .customLong("autoexpand-limit"),
        help: ArgumentHelp("So often at most; 3 by default.", valueName: "times"))
    var limit: UInt64?

    var isEnabled: Bool? { autoexpand.map { $0 == .yes } }
}
