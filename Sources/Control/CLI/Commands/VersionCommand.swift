import API
import ArgumentParser

/// `cio version`: of this program, and of the node that it talks to.
package struct VersionCommand: AsyncParsableCommand {
    package static let configuration = CommandConfiguration(
        commandName: "version", abstract: "Show the versions of cio and of the node's ciod.",
        discussion: example("cio version"))

    package init() {}

    @OptionGroup var listing: ListingOptions

    package func run() async throws {
        let client = Session.client
        // Which program this is can be asked without any node.
        let node: Result<VersionInfo, APIError>
        do { node = .success(try await client.version()) } catch { node = .failure(error) }
        try listing.show(Versions(cio: Release.version, ciod: try? node.get()), as: text(node))
    }

    private struct Versions: Encodable {
        var cio: String
        var ciod: VersionInfo?
    }

    private func text(_ node: Result<VersionInfo, APIError>) -> String {
        let ciod =
            switch node {
            case .success(let info): "\(info.version) on \(info.node) (\(info.nodeid))"
            case .failure(let failure): "unknown: \(failure.error.why)"
            }
        return "cio \(Release.version)\nciod \(ciod)"
    }
}
