import Foundation
import Metadata
import MetadataSQLite
import Testing

/// On a small filesystem of its own, which takes root to mount.
@Suite(.enabled(if: getuid() == 0, "needs root to mount a tmpfs"))
struct FullDiskTests {
    @Test func aFullDiskIsReportedAndLosesNothing() async throws {
        try await withFolder { folder in
            try await withSmallDisk(at: folder) {
                let store = try await SQLiteStore.open(path: "\(folder)/store.db")
                var written: [String] = []
                let value = [UInt8](repeating: 3, count: 50_000)
                var failure: MetadataError?
                while failure == nil, written.count < 1_000 {
                    do throws(MetadataError) {
                        try await store.put("k\(written.count)", value)
                        written.append("k\(written.count)")
                    } catch {
                        failure = error
                    }
                }
                #expect(failure?.kind == .full, "\(failure.map(String.init(describing:)) ?? "")")
                #expect(failure?.outcome == .notDone)
                let keys = Set(try await store.range(prefix: "").entries.map(\.key))
                #expect(keys == Set(written))
                await store.close()
            }
        }
    }

    @Test func aReadOnlyDiskIsReported() async throws {
        try await withFolder { folder in
            try await withSmallDisk(at: folder) {
                let path = "\(folder)/store.db"
                await (try SQLiteStore.open(path: path)).close()
                try run("mount", "-o", "remount,ro", folder)
                do {
                    let store = try await SQLiteStore.open(path: path)
                    await store.close()
                    Issue.record("a store was opened on a read-only disk")
                } catch let error as MetadataError {
                    #expect([.readOnly, .cannotOpen].contains(error.kind), "\(error)")
                }
                await expectError(.cannotOpen) {
                    _ = try await SQLiteStore.open(path: "\(folder)/other.db")
                }
            }
        }
    }

    private func withSmallDisk(at folder: String, _ body: () async throws -> Void) async throws {
        try run("mount", "-t", "tmpfs", "-o", "size=4m", "cio-metadata-tests", folder)
        do {
            try await body()
        } catch {
            try run("umount", folder)
            throw error
        }
        try run("umount", folder)
    }

    private func run(_ arguments: String...) throws {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = arguments
        try process.run()
        process.waitUntilExit()
        try #require(process.terminationStatus == 0, "\(arguments)")
    }
}
