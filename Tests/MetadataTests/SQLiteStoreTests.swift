import Foundation
import GRDB
import Metadata
import Testing

@testable import MetadataSQLite

/// What only a store in a file can do, and what can happen to it.
struct SQLiteStoreTests {
    @Test func aReopenedStoreContinues() async throws {
        try await withFolder { folder in
            let path = "\(folder)/store.db"
            let first = try await SQLiteStore.open(path: path)
            let lease = try await first.grantLease(ttl: .seconds(60))
            let put = try await first.put("a", bytes("1"), lease: lease.id)
            let before = try await first.range(prefix: "")
            await first.close()

            let second = try await SQLiteStore.open(path: path)
            #expect(try await second.range(prefix: "") == before)
            #expect(try await second.keepAlive(lease.id) == lease)
            var watch = second.watch(prefix: "", after: .zero).makeAsyncIterator()
            #expect(try await watch.next()?.changes.map(\.revision) == [put])
            #expect(try await second.put("a", bytes("2")) == put.next)
            await second.close()
        }
    }

    @Test func theFileIsItsOwnersAndCommitsAreSynchronous() async throws {
        try await withFolder { folder in
            let path = "\(folder)/store.db"
            let store = try await SQLiteStore.open(path: path)
            for suffix in ["", "-wal", "-shm"] {
                let mode = try FileManager.default.attributesOfItem(atPath: path + suffix)
                #expect(mode[.posixPermissions] as? Int == 0o600)
            }
            await store.close()
        }
    }

    @Test func twoStoresOnOneFileSeeEachOther() async throws {
        try await withFolder { folder in
            let one = try await SQLiteStore.open(path: "\(folder)/store.db")
            let two = try await SQLiteStore.open(path: "\(folder)/store.db")
            for index in 0..<100 {
                let revision = try await one.put("k", bytes("\(index)"))
                #expect(try await two.get("k")?.modRevision == revision)
            }
            var watch = two.watch(prefix: "", after: .zero).makeAsyncIterator()
            #expect(try await watch.next()?.changes.count == 100)
            async let woken = watch.next()
            try await one.put("last", [])
            #expect(try await woken?.changes.map(\.key) == ["last"])
            await one.close()
            #expect(try await two.get("last") != nil)
            await two.close()
        }
    }

    @Test func leasesOfAnEarlierBootHaveRunOut() async throws {
        try await withFolder { folder in
            let path = "\(folder)/store.db"
            let options = SQLiteOptions()
            let before = try await SQLiteStore.open(
                path: path, options: options, boot: BootID(text: "before"))
            let lease = try await before.grantLease(ttl: .seconds(3_600))
            let put = try await before.put("k", [], lease: lease.id)
            await before.close()

            let after = try await SQLiteStore.open(
                path: path, options: options, boot: BootID(text: "after"))
            #expect(try await after.get("k") == nil)
            let changes = try await collect(after.watch(prefix: "", after: put)) { _ in true }
            #expect(changes == [.delete(key: "k", revision: put.next)])
            await expectError(.leaseNotFound) { try await after.keepAlive(lease.id) }
            await after.close()
        }
    }

    @Test func aNewerStoreIsRefused() async throws {
        try await withFolder { folder in
            let path = "\(folder)/store.db"
            await (try SQLiteStore.open(path: path)).close()
            try await sql(path, "INSERT INTO grdb_migrations VALUES ('metadata-99')")
            await expectError(.tooNew) { _ = try await SQLiteStore.open(path: path) }
        }
    }

    @Test func foreignFilesAreRefusedAndNotTouched() async throws {
        try await withFolder { folder in
            let path = "\(folder)/other.db"
            try await sql(path, "CREATE TABLE theirs (x)")
            let before = FileManager.default.contents(atPath: path)
            await expectError(.foreign) { _ = try await SQLiteStore.open(path: path) }
            #expect(FileManager.default.contents(atPath: path) == before)

            let text = "\(folder)/text"
            try Data(repeating: 65, count: 10_000).write(to: URL(fileURLWithPath: text))
            await expectError(.corrupt) { _ = try await SQLiteStore.open(path: text) }
            #expect(FileManager.default.contents(atPath: text)?.count == 10_000)
        }
    }

    private func sql(_ path: String, _ statement: String) async throws {
        let queue = try DatabaseQueue(path: path)
        try await queue.writeWithoutTransaction { try $0.execute(sql: statement) }
        try queue.close()
    }

    @Test func pathsThatCannotBeAreRefused() async throws {
        try await withFolder { folder in
            await expectError(.cannotOpen) {
                _ = try await SQLiteStore.open(path: "\(folder)/none/store.db")
            }
            await expectError(.cannotOpen) { _ = try await SQLiteStore.open(path: folder) }
        }
    }

    @Test func damageIsReported() async throws {
        try await withFolder { folder in
            let path = "\(folder)/store.db"
            let store = try await SQLiteStore.open(path: path)
            for index in 0..<50 {
                try await store.put("k\(index)", [UInt8](repeating: 7, count: 3_000))
            }
            await store.close()
            let file = try FileHandle(forUpdating: URL(fileURLWithPath: path))
            try file.seek(toOffset: 4_096 * 3)
            try file.write(contentsOf: Data(repeating: 0xA5, count: 4_096 * 10))
            try file.close()
            await expectError(.corrupt) { _ = try await SQLiteStore.open(path: path) }
        }
    }

    @Test func aFileThatIsExchangedInUseStopsTheStore() async throws {
        try await withFolder { folder in
            let path = "\(folder)/store.db"
            let store = try await SQLiteStore.open(path: path)
            try await store.put("k", [])
            try FileManager.default.moveItem(atPath: path, toPath: path + ".old")
            await expectError(.replaced) { try await store.put("k", []) }
            await expectError(.replaced) { _ = try await store.range(prefix: "") }
            try FileManager.default.moveItem(atPath: path + ".old", toPath: path)
            try await store.put("k", [])
            await store.close()
        }
    }

    /// A writer that holds the lock (a process stopped in a transaction) makes others fail in time,
    /// all of them, and hinders no reader.
    @Test func aHeldLockFailsWritersInTimeAndNoReaders() async throws {
        try await withFolder { folder in
            let path = "\(folder)/store.db"
            let options = SQLiteOptions(busyTimeout: .milliseconds(500))
            let store = try await SQLiteStore.open(path: path, options: options)
            try await store.put("k", bytes("v"))
            let rival = try DatabaseQueue(path: path)
            let begin = ContinuousClock.now
            let held = DispatchSemaphore(value: 0)
            let (isHeld, hold) = AsyncStream.makeStream(of: Void.self)
            rival.asyncWriteWithoutTransaction { db in
                try? db.beginTransaction(.immediate)
                hold.finish()
                held.wait()
                try? db.rollback()
            }
            for await _ in isHeld {}
            await withTaskGroup(of: Void.self) { group in
                for _ in 0..<8 {
                    group.addTask {
                        await expectError(.busy) { try await store.put("k", []) }
                    }
                }
            }
            // One timeout, not eight.
            #expect(ContinuousClock.now - begin < .milliseconds(3_000))
            #expect(try await store.get("k")?.value == bytes("v"))
            held.signal()
            try await store.put("k", bytes("w"))
            try rival.close()
            await store.close()
        }
    }

    @Test(.timeLimit(.minutes(1)))
    func aLeaseRunsOutInTimeThoughNothingRings() async throws {
        try await withFolder { folder in
            let options = SQLiteOptions(rereadInterval: .seconds(3_600))
            let store = try await SQLiteStore.open(path: "\(folder)/store.db", options: options)
            let lease = try await store.grantLease(ttl: .seconds(1))
            let put = try await store.put("k", [], lease: lease.id)
            let changes = try await collect(store.watch(prefix: "", after: put)) { _ in true }
            #expect(changes.map(\.key) == ["k"])
            await store.close()
        }
    }

    /// Somebody repairs the store with another program, which knows nothing of bells.
    @Test func aChangeThatRangNoBellIsFoundByLooking() async throws {
        try await withFolder { folder in
            let path = "\(folder)/store.db"
            let options = SQLiteOptions(rereadInterval: .milliseconds(50))
            let store = try await SQLiteStore.open(path: path, options: options)
            let start = try await store.put("k", [])
            async let changes = collect(store.watch(prefix: "", after: start)) { _ in true }
            try await sql(path, """
                INSERT INTO changes (key, modRevision) VALUES (CAST('k' AS BLOB), \(start.next));
                DELETE FROM entries; UPDATE store SET revision = revision + 1;
                """)
            #expect(try await changes == [.delete(key: "k", revision: start.next)])
            await store.close()
        }
    }

    @Test func manyStoresCanBeMadeAtOnce() async throws {
        try await withFolder { folder in
            let stores = try await withThrowingTaskGroup(of: SQLiteStore.self) { group in
                for _ in 0..<8 {
                    group.addTask { try await SQLiteStore.open(path: "\(folder)/store.db") }
                }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            for store in stores {
                try await store.update("n", as: Int.self) { ($0 ?? 0) + 1 }
            }
            let counter: Stored<Int>? = try await stores[0].record("n")
            #expect(counter?.record == 8)
            for store in stores { await store.close() }
        }
    }
}
