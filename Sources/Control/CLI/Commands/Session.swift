import API
import APIClient
import ArgumentParser
import FoundationEssentials

/// The node that a command talks to.
enum Session {
    static var client: APIClient {
        APIClient(endpoint: Endpoint(environment: ProcessInfo.processInfo.environment))
    }
}

/// On every listing.
package struct ListingOptions: ParsableArguments {
    package init() {}

    @Flag(help: "Print JSON, for programs.")
    var json = false

    /// Prints the listing in the form that was asked for.
    package func show(_ value: some Encodable, as text: @autoclosure () -> String) throws {
        Output.line(json ? try JSONText.text(value) : text())
    }
}

/// `Example:` and what follows it, at the end of a command's help.
func example(_ lines: String...) -> String {
    "Example:\n" + lines.map { "  \($0)" }.joined(separator: "\n")
}
