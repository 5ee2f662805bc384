import ArgumentParser
import CLI
import Playground

/// `cio playground`.
struct PlaygroundCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "playground", abstract: "A cluster on this machine, to play with.",
        discussion: """
            Example:
              cio playground up
              eval "$(cio playground env v2)"
              cio playground kill v3
              cio playground start v3
              cio playground down
            """,
        subcommands: [
            Up.self, Down.self, Kill.self, Start.self, Cut.self, Uncut.self, Exec.self,
            Status.self, Environment.self,
        ])

    struct Up: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Start it; returns when all nodes are normal.",
            discussion: """
                With --etcd the metadata service is three etcd members of its own, which is what \
                several machines have; they need the program etcd. Members that were killed are \
                started again by another up.

                With --namespaces each node has a network and mounts of its own, as a machine \
                has, and can be cut off. The first three have an etcd member each, with --etcd. It \
                needs the program ip.

                Example:
                  cio playground up --nodes 4 --dir /tmp/play
                  cio playground up --namespaces --etcd
                """)

        @OptionGroup var place: PlaygroundPlace

        @Option(help: "How many nodes, 1 to 16; 4 by default.")
        var nodes: Int?

        @Option(help: "auto, uring or aio, as ciod takes it.")
        var engine: String?

        @Option(
            help: ArgumentHelp(
                "How long a lost copy may stay away before another is made.",
                valueName: "seconds"))
        var rebuildDelay: Int?

        @Option(
            help: ArgumentHelp(
                "Silence after which a node's volumes are taken over.", valueName: "seconds"))
        var liveness: Int?

        @Flag(help: "Three etcd members as the metadata service, not a SQLite file.")
        var etcd = false

        @Flag(help: "Network and mounts of its own for each node, for cut and exec.")
        var namespaces = false

        func validate() throws {
            if let nodes, !(1...Limits.nodesMax).contains(nodes) {
                throw ValidationError("--nodes takes 1 to \(Limits.nodesMax), not \(nodes)")
            }
            if let engine, !["auto", "uring", "aio"].contains(engine) {
                throw ValidationError("--engine takes auto, uring or aio, not '\(engine)'")
            }
            if let rebuildDelay, !(0...86_400).contains(rebuildDelay) {
                throw ValidationError("--rebuild-delay takes 0 to 86400, not \(rebuildDelay)")
            }
            if let liveness, !(1...3_600).contains(liveness) {
                throw ValidationError("--liveness takes 1 to 3600, not \(liveness)")
            }
        }

        func run() async throws {
            let playground = try place.open()
            let settings = PlaygroundSettings(
                nodes: nodes, engine: engine, rebuildDelay: rebuildDelay, liveness: liveness,
                etcd: etcd, namespaces: namespaces)
            try await playground.up(settings) { Output.line($0) }
            Output.success("Bring up \(playground.folder)")
        }
    }

    struct Down: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Stop it and remove everything, data as well.",
            discussion: "Example:\n  cio playground down")

        @OptionGroup var place: PlaygroundPlace

        func run() async throws {
            let playground = try place.open()
            try await playground.down()
            Output.success("Take down \(playground.folder)")
        }
    }

    struct Kill: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "A node's sudden death, with everything that uses its volumes.",
            discussion: "Example:\n  cio playground kill v3")

        @OptionGroup var place: PlaygroundPlace

        @Argument(help: "The node: v1, v2, …")
        var node: String

        @Flag(help: "As if the machine had lost power: it comes back with another boot id.")
        var lostPower = false

        func run() async throws {
            try await place.open().kill(node, lostPower: lostPower)
            Output.success("Kill \(node)")
        }
    }

    struct Start: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Start a killed node, or its ciod alone; returns when it is normal.",
            discussion: "Example:\n  cio playground start v3")

        @OptionGroup var place: PlaygroundPlace

        @Argument(help: "The node: v1, v2, …")
        var node: String

        func run() async throws {
            try await place.open().start(node)
            Output.success("Start \(node)")
        }
    }
}
