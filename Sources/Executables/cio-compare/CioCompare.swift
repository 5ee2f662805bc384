import ArgumentParser
import CopyComparison
import Glibc

/// Compares the copies of a volume at rest, as they lie on their drives.
@main
struct CioCompare: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "cio-compare",
        abstract: "Compares the copies of a volume at rest, byte for byte and with checksums.",
        discussion: """
            Example:
              cio-compare /drive1/replicas/ID /drive2/replicas/ID

            The copies are to be in sync and the volume detached. Exit status 0 only if they are \
            equal and every stored checksum is true.
            """)

    @Argument(help: "The copies' directories.")
    var copies: [String]

    func run() throws {
        let report = try CopyComparison.compare(copies)
        guard report.isEqual else {
            for fault in report.faults { print(fault) }
            throw ExitCode.failure
        }
        print(
            "\(report.copies) copies are equal: \(report.bytesCompared >> 20) MiB compared,",
            "\(report.checksumsVerified) checksums verified")
    }
}
