import Metadata
import Testing

struct WatchTests {
    @Test(arguments: StoreKind.allCases)
    func aWatchSeesThePastThenThePresent(_ kind: StoreKind) async throws {
        try await withStore(kind) { store in
            let first = try await store.put("a/1", bytes("1"))
            try await store.put("b", bytes("elsewhere"))
            let one = try #require(try await store.get("a/1"))
            let second = try await store.transaction(Transaction(then: [
                .delete("a/1"), .put("a/2", bytes("2")),
            ])).revision
            var watch = store.watch(prefix: "a/", after: .zero).makeAsyncIterator()
            let past = try #require(try await watch.next())
            let two = try #require(try await store.get("a/2"))
            #expect(past.changes == [
                .put(one), .delete(key: "a/1", revision: second), .put(two),
            ])
            #expect(past.revision == second)
            #expect(one.modRevision == first)

            async let next = watch.next()
            let third = try await store.put("a/3", bytes("3"))
            let present = try #require(try await next)
            #expect(present.changes.map(\.key) == ["a/3"])
            #expect(present.revision == third)
        }
    }

    @Test(arguments: StoreKind.allCases)
    func aWatchAfterASnapshotContinuesIt(_ kind: StoreKind) async throws {
        try await withStore(kind) { store in
            try await store.put("a", bytes("before"))
            let snapshot = try await store.range(prefix: "")
            try await store.put("a", bytes("after"))
            var watch = store.watch(prefix: "", after: snapshot.revision).makeAsyncIterator()
            let batch = try await watch.next()
            #expect(batch?.changes.map(\.revision) == [snapshot.revision.next])
        }
    }

    @Test(arguments: StoreKind.allCases)
    func changesOfOneRevisionComeTogetherAndInOrder(_ kind: StoreKind) async throws {
        try await withStore(kind) { store in
            let keys = (0..<100).map { "k/\(($0 * 37) % 100)" }
            let puts = keys.map { Transaction.Operation.put($0, []) }
            _ = try await store.transaction(Transaction(then: puts))
            _ = try await store.transaction(Transaction(then: [.deletePrefix("k/")]))
            var watch = store.watch(prefix: "k/", after: .zero).makeAsyncIterator()
            let batch = try #require(try await watch.next())
            #expect(batch.changes.prefix(100).map(\.key) == keys)
            #expect(batch.changes.suffix(100).map(\.key) == keys.sorted())
        }
    }

    /// 10,000 changes by four writers, seen by four watches that begin at different moments.
    @Test(arguments: StoreKind.allCases)
    func noChangeIsMissedOrRepeated(_ kind: StoreKind) async throws {
        try await withStore(kind) { store in
            let all = try await withThrowingTaskGroup(of: [Change].self) { group in
                for watcher in 0..<4 {
                    group.addTask {
                        if watcher > 0 { try await writesBegan(store, watcher) }
                        return try await untilEnd(store.watch(prefix: "w/", after: .zero))
                    }
                }
                try await withThrowingTaskGroup(of: Void.self) { writers in
                    for writer in 0..<4 {
                        writers.addTask { try await write(store, writer, transactions: 250) }
                    }
                    try await writers.waitForAll()
                }
                try await store.put("w/end", [])
                return try await group.reduce(into: []) { $0.append($1) }
            }
            #expect(all.count == 4)
            for changes in all {
                #expect(changes == all[0])
                #expect(changes.count == 10_001)
                let revisions = changes.map(\.revision)
                #expect(revisions == revisions.sorted())
            }
            for writer in 0..<4 {
                let own = all[0].filter { $0.key.hasPrefix("w/\(writer)/") }
                #expect(own.map(\.key) == (0..<2_500).map { "w/\(writer)/\($0)" })
            }
        }
    }

    private func writesBegan(_ store: any MetadataStore, _ watcher: Int) async throws {
        var seen = 0
        for try await batch in store.watch(prefix: "w/", after: .zero) {
            seen += batch.changes.count
            if seen > watcher * 10 { break }
        }
    }

    private func untilEnd(_ watch: Watch) async throws -> [Change] {
        try await collect(watch) { $0.key == "w/end" }
    }

    private func write(
        _ store: any MetadataStore, _ writer: Int, transactions: Int
    ) async throws {
        for index in 0..<transactions {
            let puts = (0..<10).map { offset in
                Transaction.Operation.put("w/\(writer)/\(index * 10 + offset)", bytes("v"))
            }
            _ = try await store.transaction(Transaction(then: puts))
        }
    }

    @Test(arguments: StoreKind.allCases)
    func aWatchBehindTheHistoryIsTold(_ kind: StoreKind) async throws {
        let limits = HistoryLimits(changesMax: 50, bytesMax: 1 << 20)
        try await withStore(kind, history: limits) { store in
            var last = Revision.zero
            for index in 0..<200 { last = try await store.put("k", bytes("\(index)")) }
            var old = store.watch(prefix: "", after: .zero).makeAsyncIterator()
            let oldest = Revision(rawValue: last.rawValue - 50)
            await expectError(.compacted(oldest: oldest)) { _ = try await old.next() }
            #expect(try await old.next() == nil)
            // Exactly what is kept can be had.
            var kept = store.watch(prefix: "", after: oldest).makeAsyncIterator()
            #expect(try await kept.next()?.changes.count == 50)
        }
    }

    @Test(arguments: StoreKind.allCases)
    func historyIsBoundedInBytesToo(_ kind: StoreKind) async throws {
        let limits = HistoryLimits(changesMax: 1_000, bytesMax: 100_000)
        try await withStore(kind, history: limits) { store in
            let value = [UInt8](repeating: 1, count: 9_999)
            var last = Revision.zero
            for _ in 0..<30 { last = try await store.put("k", value) }
            let oldest = Revision(rawValue: last.rawValue - 10)
            var kept = store.watch(prefix: "", after: oldest).makeAsyncIterator()
            #expect(try await kept.next()?.changes.count == 10)
            let before = Revision(rawValue: oldest.rawValue - 1)
            var gone = store.watch(prefix: "", after: before).makeAsyncIterator()
            await expectError(.compacted(oldest: oldest)) { _ = try await gone.next() }
        }
    }

    /// A watch keeps up though nothing of what is trimmed was for it.
    @Test(arguments: StoreKind.allCases)
    func aQuietWatchSurvivesTrimming(_ kind: StoreKind) async throws {
        let limits = HistoryLimits(changesMax: 20, bytesMax: 1 << 20)
        try await withStore(kind, history: limits) { store in
            let quiet = Task {
                var watch = store.watch(prefix: "quiet/", after: .zero).makeAsyncIterator()
                return try await watch.next()
            }
            for index in 0..<10 {
                try await store.put("noise", bytes("\(index)"))
                // Until somebody who watches has been woken: nothing else proves that all were.
                var noise = store.watch(
                    prefix: "noise", after: .zero).makeAsyncIterator()
                _ = try await noise.next()
            }
            try await store.put("quiet/1", [])
            #expect(try await quiet.value?.changes.map(\.key) == ["quiet/1"])
        }
    }

    @Test(arguments: StoreKind.allCases)
    func aCancelledWatchEnds(_ kind: StoreKind) async throws {
        try await withStore(kind) { store in
            let (begun, begin) = AsyncStream.makeStream(of: Void.self)
            let watching = Task {
                begin.finish()
                for try await _ in store.watch(prefix: "", after: .zero) {}
            }
            for await _ in begun {}
            watching.cancel()
            try await watching.value
        }
    }

    @Test(arguments: StoreKind.allCases)
    func closingEndsAWatch(_ kind: StoreKind) async throws {
        try await withStore(kind) { store in
            try await store.put("a", [])
            let (seen, see) = AsyncStream.makeStream(of: Void.self)
            let watching = Task {
                for try await _ in store.watch(prefix: "", after: .zero) { see.finish() }
            }
            for await _ in seen {}
            await store.close()
            try await watching.value
        }
    }

    @Test(arguments: StoreKind.allCases)
    func aWatchAheadOfTheStoreIsTold(_ kind: StoreKind) async throws {
        try await withStore(kind) { store in
            let now = try await store.put("a", [])
            let ahead = Revision(rawValue: now.rawValue + 5)
            var watch = store.watch(prefix: "", after: ahead).makeAsyncIterator()
            await expectError(.compacted(oldest: now)) { _ = try await watch.next() }
        }
    }

    @Test(arguments: StoreKind.allCases)
    func aLongPastComesInBoundedPieces(_ kind: StoreKind) async throws {
        try await withStore(kind) { store in
            for batch in 0..<30 {
                let puts = (0..<100).map { Transaction.Operation.put("k/\(batch)/\($0)", []) }
                _ = try await store.transaction(Transaction(then: puts))
            }
            var sizes: [Int] = []
            for try await batch in store.watch(prefix: "k/", after: .zero) {
                sizes.append(batch.changes.count)
                if sizes.reduce(0, +) >= 3_000 { break }
            }
            #expect(sizes == [1_000, 1_000, 1_000])
        }
    }
}
