import ArgumentParser

/// A node with `-n NAME` or `-N ID`; neither where the command has a default.
struct NodeOptions: ParsableArguments {
    @Option(name: [.customShort("n"), .customLong("node")], help: "The node's name.")
    var node: String?

    @Option(
        name: [.customShort("N"), .customLong("nodeid")],
        help: ArgumentHelp("The node's id, at least its 8 digits.", valueName: "id"))
    var nodeid: String?

    func validate() throws {
        guard node == nil || nodeid == nil else {
            throw ValidationError("name one node: with -n NAME or with -N ID")
        }
    }

    /// As the REST API takes it; nil when none is named.
    var reference: String? { node ?? nodeid.map { "id:\($0)" } }

    func required() throws -> String {
        guard let reference else { throw ValidationError("name a node: with -n NAME or -N ID") }
        return reference
    }
}

/// A node by name, `-n NAME` or `-N ID`.
struct NodeChoice: ParsableArguments {
    @Argument(help: ArgumentHelp("The node's name.", valueName: "node"))
    var name: String?

    @OptionGroup var options: NodeOptions

    func validate() throws {
        guard (name == nil) != (options.reference == nil) else {
            throw ValidationError("name one node: by name, with -n NAME or with -N ID")
        }
    }

    var reference: String { name ?? options.reference ?? "" }
}
