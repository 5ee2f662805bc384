import Foundation
import Testing

/// The one direction in which modules point.
@Suite struct ModuleTests {
    private struct Package: Decodable {
        struct Target: Decodable {
            var name: String
            var path: String
            var type: String
            var target_dependencies: [String]?
        }
        var targets: [Target]
    }

    /// What a target of each folder may depend on.
    private static let allowed: [String: Set<String>] = [
        "CModules": ["CModules"],
        "Foundations": ["Foundations", "CModules"],
        "Logic": ["Logic", "Foundations"],
        "Engine": ["Engine", "Logic", "Foundations", "CModules"],
        "Control": ["Control", "Logic", "Foundations"],
        "Executables": ["Engine", "Control", "Logic", "Foundations", "CModules"],
    ]

    /// `Sources/Engine/Ring` is in Engine, `CModules/CAio` in CModules, and so on.
    private static func group(_ path: String) -> String {
        let parts = path.split(separator: "/")
        return String(parts[0] == "Sources" ? parts[1] : parts[0])
    }

    private static func targets() throws -> [Package.Target] {
        // In a folder of its own: the test runner may hold the lock of the usual one.
        let scratch = NSTemporaryDirectory() + "/cio-describe-\(UUID())"
        defer { try? FileManager.default.removeItem(atPath: scratch) }
        let json = try Repository.output(
            "swift", "package", "--package-path", Repository.root, "--scratch-path", scratch,
            "--disable-automatic-resolution", "describe", "--type", "json")
        return try JSONDecoder().decode(Package.self, from: Data(json.utf8)).targets
    }

    @Test func modulesPointOneWay() throws {
        let targets = try Self.targets()
        let groups = Dictionary(uniqueKeysWithValues: targets.map { ($0.name, Self.group($0.path)) })
        #expect(targets.count > 10)
        for target in targets where Self.group(target.path) != "Tests" {
            let allowed = try #require(Self.allowed[Self.group(target.path)], "\(target.path)")
            for dependency in target.target_dependencies ?? [] {
                let group = try #require(groups[dependency])
                #expect(
                    allowed.contains(group),
                    "\(target.name) (\(target.path)) may not import \(dependency) of \(group)")
            }
        }
    }

    @Test func everyFolderOfSourcesIsAModule() throws {
        let paths = try Set(Self.targets().map(\.path))
        for file in Repository.sources where file.hasPrefix("Sources/") {
            let module = file.split(separator: "/").prefix(3).joined(separator: "/")
            let isKnown = paths.contains(module)
            #expect(isKnown, "\(file) is in no target")
        }
    }

    @Test func logicReadsNoClockAndDoesNoInput() throws {
        for file in Repository.sources where file.hasPrefix("Sources/Logic/") {
            let text = try Repository.text(file)
            for module in ["Foundation", "FoundationEssentials", "Glibc", "Dispatch"] {
                #expect(!text.contains("\nimport \(module)\n"), "\(file) imports \(module)")
            }
            for word in ["SystemRandomNumberGenerator", "ContinuousClock", "Task {", "async "] {
                #expect(!text.contains(word), "\(file) uses \(word)")
            }
        }
    }
}
