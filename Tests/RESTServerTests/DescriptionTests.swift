import Foundation
import Testing

@testable import RESTServer

/// docs/api.yaml is what people and programs go by: it names what is there, and nothing else.
@Suite struct DescriptionTests {
    @Test func theDescriptionNamesEveryEndpointAndNoOther() throws {
        let root = URL(filePath: #filePath).deletingLastPathComponent()
            .deletingLastPathComponent().deletingLastPathComponent()
        let text = try String(contentsOf: root.appending(path: "docs/api.yaml"), encoding: .utf8)
        let offered = Set(Endpoint.allCases.map { "\($0.method) \($0.template)" })
        #expect(described(in: text) == offered)
        #expect(offered.count == Endpoint.allCases.count)
    }

    @Test func everyQueryNameIsDescribed() throws {
        let root = URL(filePath: #filePath).deletingLastPathComponent()
            .deletingLastPathComponent().deletingLastPathComponent()
        let text = try String(contentsOf: root.appending(path: "docs/api.yaml"), encoding: .utf8)
        for name in Set(Endpoint.allCases.flatMap(\.queryNames)) {
            #expect(text.contains("name: \(name)\n"), "\(name)")
        }
    }

    /// Paths stand two spaces in, and their methods four.
    private func described(in text: String) -> Set<String> {
        var found: Set<String> = []
        var path = ""
        for line in text.split(separator: "\n") where line.hasSuffix(":") {
            let word = line.dropLast().trimmingCharacters(in: .whitespaces)
            if line.hasPrefix("  /") {
                path = word
            } else if line.hasPrefix("    "), !line.hasPrefix("     "),
                ["get", "post", "delete", "put", "patch"].contains(word)
            {
                found.insert("\(word.uppercased()) \(path)")
            }
        }
        return found
    }
}
