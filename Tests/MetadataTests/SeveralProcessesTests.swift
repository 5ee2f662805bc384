import Foundation
import Metadata
import MetadataSQLite
import Testing

/// Several processes on one file, and what happens to the others when one of them dies.
@Suite(.serialized)
struct SeveralProcessesTests {
    @Test func fourProcessesLoseNoIncrementAndSeeEveryChange() async throws {
        try await withStorePath { path, store in
            let watching = try TestProcess("watch", path, "n", "nEnd")
            let counting = try (0..<4).map { _ in
                try TestProcess("increment", path, "n", "250")
            }
            for process in counting {
                let (lines, status) = await process.finish()
                #expect(status == 0, "\(lines.last ?? "said nothing")")
                #expect(lines.count == 250)
            }
            try await store.put("nEnd", [])
            let (seen, status) = await watching.finish()
            #expect(status == 0)
            let values = seen.dropLast().map { $0.split(separator: " ").last.map(String.init) }
            #expect(values == (1...1_000).map(String.init))
        }
    }

    @Test func aKilledProcessLosesNothingAndWedgesNobody() async throws {
        try await withStorePath { path, store in
            let victims = try (0..<2).map { _ in
                try TestProcess("increment", path, "n", "1000000")
            }
            let survivor = try TestProcess("increment", path, "n", "300")
            var answered: [Int] = []
            for (index, victim) in victims.enumerated() {
                let line = await victim.line { $0.hasPrefix("done") }
                #expect(line != nil)
                // Somewhere in the middle of its work.
                let delay = Duration.milliseconds(100 + index * 77)
                try await Task.sleep(for: delay)
                victim.signal(SIGKILL)
                let (rest, status) = await victim.finish()
                #expect(status == -SIGKILL)
                answered += ([line ?? ""] + rest).compactMap(number(in:))
            }
            let (lines, status) = await survivor.finish()
            #expect(status == 0, "\(lines.last ?? "said nothing")")
            answered += lines.compactMap(number(in:))
            // Each answer is another number, and every number up to the end was answered, but for
            // those whose process died between commit and answer: at most one for each.
            let total = try #require(try await store.record("n", as: Int.self)).record
            #expect(Set(answered).count == answered.count)
            #expect(answered.allSatisfy { $0 <= total })
            #expect(total - answered.count <= victims.count)
            #expect(answered.count >= 302)
        }
    }

    private func number(in line: String) -> Int? {
        line.hasPrefix("done ") ? Int(line.dropFirst(5)) : nil
    }

    @Test func theLeaseOfADeadProcessRunsOut() async throws {
        try await withStorePath { path, store in
            let holder = try TestProcess("lease", path, "lead", "1500")
            #expect(await holder.line { $0 == "held" } != nil)
            let held = try #require(try await store.get("lead"))
            holder.signal(SIGKILL)
            _ = await holder.finish()
            let watch = store.watch(prefix: "lead", after: held.modRevision)
            let changes = try await collect(watch) { _ in true }
            #expect(changes.map(\.key) == ["lead"])
            #expect(try await store.create("lead", record: "mine"))
        }
    }

    @Test func aProcessStoppedInATransactionIsNamed() async throws {
        try await withStorePath(SQLiteOptions(busyTimeout: .milliseconds(500))) { path, store in
            try await store.put("k", bytes("v"))
            let holder = try TestProcess("hold", path)
            #expect(await holder.line { $0 == "held" } != nil)
            holder.signal(SIGSTOP)
            do {
                try await store.put("k", [])
                Issue.record("a put succeeded though the lock was held")
            } catch let error as MetadataError {
                #expect(error.kind == .busy)
                let name = "process \(holder.id) (metadata-test-p, stopped)"
                #expect(error.description.contains(name), "\(error)")
            }
            #expect(try await store.get("k")?.value == bytes("v"))
            holder.signal(SIGKILL)
            _ = await holder.finish()
            try await store.put("k", bytes("w"))
        }
    }

    /// Looking once an hour would not end this test in time, and the writer, which lives on, does
    /// not close the file: the bell does it.
    @Test(.timeLimit(.minutes(1)))
    func anotherProcessWakesAWatchAtOnce() async throws {
        try await withStorePath(SQLiteOptions(rereadInterval: .seconds(3_600))) { path, store in
            let watch = store.watch(prefix: "n", after: .zero)
            async let changes = collect(watch) { _ in true }
            let writer = try TestProcess("lease", path, "n", "600000")
            #expect(try await changes.map(\.key) == ["n"])
            writer.signal(SIGKILL)
            _ = await writer.finish()
        }
    }

    /// A report rather than a proof: other work on the machine does not count, but is felt.
    @Test func anIdleStoreUsesNoTime() async throws {
        try await withStorePath { path, _ in
            let idle = try TestProcess("idle", path, "5", "20")
            let (lines, status) = await idle.finish()
            #expect(status == 0)
            let line = try #require(lines.first { $0.hasPrefix("cpu ") })
            let seconds = try #require(Double(line.dropFirst(4)))
            print("an idle store with 20 watches used \(seconds / 5 * 100) % of a core")
            #expect(seconds / 5 < 0.005)
        }
    }

    private func withStorePath(
        _ options: SQLiteOptions = SQLiteOptions(),
        _ body: (String, SQLiteStore) async throws -> Void
    ) async throws {
        try await withFolder { folder in
            let path = "\(folder)/store.db"
            let store = try await SQLiteStore.open(path: path, options: options)
            do {
                try await body(path, store)
            } catch {
                await store.close()
                throw error
            }
            await store.close()
        }
    }
}
