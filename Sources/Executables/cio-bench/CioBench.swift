import ArgumentParser

/// `cio-bench`: what `scripts/bench` measures beside fio.
@main
struct CioBench: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "cio-bench", abstract: "Measures what bounds cio on this machine.",
        subcommands: [PingPongCommand.self])
}

struct PingPongCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "ping-pong",
        abstract: "The round trip of a small message over TCP on loopback, between two processes.",
        discussion: "Prints the median and the 99th percentile in microseconds.")

    @Option(help: "Round trips that are measured, 1 to 10000000.")
    var count = 50_000

    @Option(help: "Bytes of a message, 1 to 65536: a frame's header by default.")
    var bytes = 64

    func validate() throws {
        guard (1...10_000_000).contains(count) else {
            throw ValidationError("--count takes 1 to 10000000, not \(count)")
        }
        guard (1...65_536).contains(bytes) else {
            throw ValidationError("--bytes takes 1 to 65536, not \(bytes)")
        }
    }

    func run() throws {
        var nanoseconds = try PingPong.measure(count: count, byteCount: bytes)
        nanoseconds.sort()
        print("p50 \(Self.microseconds(nanoseconds[count / 2]))")
        print("p99 \(Self.microseconds(nanoseconds[min(count - 1, count * 99 / 100)]))")
    }

    private static func microseconds(_ nanoseconds: UInt64) -> String {
        "\(nanoseconds / 1000).\(nanoseconds % 1000 / 100)"
    }
}
