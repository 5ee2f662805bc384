import Foundation
import Testing

@testable import DockerPlugin

@Suite struct ReferenceFileTests {
    private func withFolder(_ body: (String) throws -> Void) throws {
        let folder = NSTemporaryDirectory() + "/cio-references-\(UUID().uuidString)"
        try FileManager.default.createDirectory(
            atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try body(folder)
    }

    private func example(boot: String) -> ReferenceSet {
        var set = ReferenceSet(boot: boot)
        set.insert("1", of: "v", named: "db", isBrought: true, at: 1.5)
        set.insert("2", of: "v", named: "db", isBrought: true, at: 2.5)
        return set
    }

    @Test func whatWasSavedIsLoaded() throws {
        try withFolder { folder in
            let file = ReferenceFile(path: folder + "/references.json")
            #expect(file.load(boot: "b") { _ in }.isEmpty)
            try file.save(example(boot: "b"))
            #expect(file.load(boot: "b") { _ in } == example(boot: "b"))
            try file.save(ReferenceSet(boot: "b"))
            #expect(file.load(boot: "b") { _ in }.isEmpty)
        }
    }

    @Test func referencesOfAnotherBootAreWorthNothing() throws {
        try withFolder { folder in
            let file = ReferenceFile(path: folder + "/references.json")
            try file.save(example(boot: "b"))
            let later = file.load(boot: "c") { _ in }
            #expect(later.boot == "c")
            #expect(later.used.isEmpty)
            // But nobody has let the volume go.
            #expect(later.volumes["v"] == ReferenceSet.Uses(name: "db", isBrought: true))
        }
    }

    @Test func whatAnOperatorHadAttachedStaysAfterAReboot() throws {
        try withFolder { folder in
            let file = ReferenceFile(path: folder + "/references.json")
            var set = ReferenceSet(boot: "b")
            set.insert("1", of: "v", named: "db", isBrought: false, at: 1)
            try file.save(set)
            #expect(file.load(boot: "c") { _ in }.isEmpty)
        }
    }

    @Test(arguments: ["", "{", "[]", "{\"boot\":1}", "{\"boot\":\"b\"}"])
    func aFileThatCannotBeReadIsPutAside(text: String) throws {
        try withFolder { folder in
            let file = ReferenceFile(path: folder + "/references.json")
            try text.write(toFile: file.path, atomically: true, encoding: .utf8)
            var told: [String] = []
            #expect(file.load(boot: "b") { told.append($0) }.isEmpty)
            #expect(told.count == 1)
            #expect(try String(contentsOfFile: file.path + ".unreadable", encoding: .utf8) == text)
        }
    }

    @Test func whatCannotBeWrittenIsTold() {
        let file = ReferenceFile(path: "/nowhere/references.json")
        #expect(throws: ReferenceFile.Failure.self) { try file.save(ReferenceSet(boot: "b")) }
    }
}
