import Foundation
import Testing

/// How the project's files should look.
@Suite struct TidyTests {
    private static let linesMax = 500
    /// 100 is the aim; a line that reads better whole may be longer.
    private static let columnsMax = 130
    private static let medianMax = 150

    private func isText(_ path: String) -> Bool {
        [".swift", ".c", ".h", ".sh", ".md", ".yaml", ".json"].contains { path.hasSuffix($0) }
            || path.hasPrefix("scripts/")
    }

    private func lines(_ path: String) throws -> [Substring] {
        try Repository.text(path).split(separator: "\n", omittingEmptySubsequences: false)
    }

    @Test func filesAreShort() throws {
        var lengths: [Int] = []
        for file in Repository.sources {
            let count = try lines(file).count
            #expect(count <= Self.linesMax, "\(file) has \(count) lines")
            lengths.append(count)
        }
        lengths.sort()
        #expect(lengths[lengths.count / 2] <= Self.medianMax)
    }

    @Test func linesAreShort() throws {
        for file in Repository.sources where !file.hasPrefix("Tests/") {
            for (number, line) in try lines(file).enumerated()
            where line.count > Self.columnsMax {
                Issue.record("\(file):\(number + 1) has \(line.count) columns")
            }
        }
    }

    @Test func nothingIsLeftForLaterWithoutAnIssue() throws {
        // Put together, so that this file does not find itself.
        let words = ["TO" + "DO", "FIX" + "ME", "XX" + "X", "HA" + "CK"]
        for file in Repository.files where isText(file) {
            for (number, line) in try lines(file).enumerated() {
                let parts = line.split { !$0.isLetter }
                let isLeft = parts.contains { words.contains(String($0)) }
                #expect(!isLeft, "\(file):\(number + 1): \(line)")
            }
        }
    }

    @Test func typesAreNamedForWhatTheyAre() {
        for file in Repository.sources {
            let name = (file as NSString).lastPathComponent
            for word in ["Utils", "Helpers", "Manager", "Common"] {
                #expect(!name.contains(word), "\(file)")
            }
        }
    }

    @Test func scriptsCanBeRun() throws {
        let scripts = Repository.files.filter {
            $0.hasPrefix("scripts/") || $0.hasPrefix(".ci/")
        }
        #expect(scripts.contains("scripts/test"))
        for file in scripts where try Repository.text(file).hasPrefix("#!") {
            let path = "\(Repository.root)/\(file)"
            #expect(FileManager.default.isExecutableFile(atPath: path), "\(file)")
        }
    }

    @Test func testsLieBesideOthersOfTheirModule() {
        let suites = Repository.sources.filter {
            $0.hasPrefix("Tests/") && $0.hasSuffix("Tests.swift")
        }
        #expect(suites.count > 20)
        for file in suites {
            #expect(file.split(separator: "/")[1].hasSuffix("Tests"), "\(file)")
        }
    }
}
