import Foundation
import Testing

/// What the documentation names has to be there.
@Suite struct DocumentationTests {
    private static let pages = ["README.md", "docs/architecture.md", "docs/operations.md", "docs/docker.md"]

    /// Words in backticks that are paths of this repository: with a known folder in front, or
    /// the target of a link.
    private func paths(in text: String) -> [String] {
        let folders = ["Sources/", "Packaging/", "Tests/", "CModules/", "docs/", "scripts/", ".ci/"]
        let quoted = text.split(separator: "`", omittingEmptySubsequences: false)
            .enumerated().filter { $0.offset % 2 == 1 }.map { String($0.element) }
        let linked = text.components(separatedBy: "](").dropFirst().compactMap {
            $0.components(separatedBy: ")").first
        }
        let words = quoted.compactMap { $0.split(separator: " ").first.map(String.init) }
        return words.filter { word in folders.contains { word.hasPrefix($0) } }
            + linked.filter { !$0.contains("://") && !$0.hasPrefix("#") }
    }

    @Test(arguments: pages)
    func everyPathThatAPageNamesExists(page: String) throws {
        let folder = (page as NSString).deletingLastPathComponent
        let named = paths(in: try Repository.text(page))
        #expect(!named.isEmpty)
        for path in named {
            let besideIt = folder.isEmpty ? path : "\(folder)/\(path)"
            #expect(Repository.exists(path) || Repository.exists(besideIt), "\(page): \(path)")
        }
    }

    @Test func theLifeOfAWriteHasTenSteps() throws {
        let readme = try Repository.text("README.md")
        let section = try #require(readme.components(separatedBy: "## The life of a write").last)
        let life = section.components(separatedBy: "\n## ")[0]
        for step in 1...10 { #expect(life.contains("\n\(step). "), "step \(step) is missing") }
        #expect(!life.contains("\n11. "))
    }

    @Test func nobodyIsLedToTakeReplicationForABackup() throws {
        #expect(try Repository.text("README.md").contains("eplication is not backup"))
    }

    @Test func everyEventIsExplained() throws {
        let codes = try Repository.text("Sources/Control/Control/Events/EventCode.swift")
            .split(separator: "\n").filter { $0.contains("case ") && $0.contains(" = ") }
            .compactMap { $0.split(separator: " ").last.flatMap { Int($0) } }
        let page = try Repository.text("docs/operations.md")
        #expect(codes.count > 20)
        for code in codes {
            let isThere = page.contains("\(code)")
            #expect(isThere, "\(code) is not explained")
        }
    }
}
