import Metadata
import Testing

/// What every store's transactions do.
struct TransactionTargetTests {
    @Test(arguments: StoreKind.allCases)
    func putsCountRevisionsAndVersions(_ kind: StoreKind) async throws {
        try await withStore(kind) { store in
            #expect(try await store.get("a") == nil)
            let start = try await store.range(prefix: "").revision
            #expect(try await store.put("a", bytes("1")) == start.next)
            #expect(try await store.put("a", bytes("2")) == start.next.next)
            let expected = Entry(
                key: "a", value: bytes("2"), createRevision: start.next,
                modRevision: start.next.next, version: 2, lease: nil)
            #expect(try await store.get("a") == expected)
            #expect(try await store.delete("a"))
            #expect(try await store.get("a") == nil)
            try await store.put("a", [])
            let again = try #require(try await store.get("a"))
            #expect(again.version == 1)
            #expect(again.createRevision == again.modRevision)
            #expect(again.value == [])
        }
    }

    @Test(arguments: StoreKind.allCases)
    func aTransactionIsOneRevision(_ kind: StoreKind) async throws {
        try await withStore(kind) { store in
            let start = try await store.put("old", bytes("x"))
            let result = try await store.transaction(Transaction(then: [
                .put("a", bytes("1")), .put("b", bytes("2")), .delete("old"), .get("a"),
            ]))
            #expect(result.succeeded)
            #expect(result.revision == start.next)
            let a = try #require(try await store.get("a"))
            #expect(a.modRevision == result.revision)
            #expect(result.responses == [.put, .put, .deleted(1), .entry(a)])
            #expect(try await store.range(prefix: "").entries.map(\.key) == ["a", "b"])
        }
    }

    @Test(arguments: StoreKind.allCases)
    func whatChangesNothingLeavesTheRevision(_ kind: StoreKind) async throws {
        try await withStore(kind) { store in
            let start = try await store.put("a", bytes("1"))
            let result = try await store.transaction(Transaction(then: [
                .get("a"), .range(prefix: "zz"), .delete("absent"), .deletePrefix("none/"),
            ]))
            #expect(result.revision == start)
            #expect(result.responses.suffix(3) == [.entries([]), .deleted(0), .deleted(0)])
            // The same value once more is a change all the same.
            #expect(try await store.put("a", bytes("1")) == start.next)
        }
    }

    @Test(arguments: StoreKind.allCases)
    func theElseBranchRunsWhenAnyComparisonFails(_ kind: StoreKind) async throws {
        try await withStore(kind) { store in
            try await store.put("a", bytes("1"))
            let a = try await store.get("a")
            let result = try await store.transaction(Transaction(
                if: [.present("a"), .absent("a")],
                then: [.put("wrong", [])], else: [.put("right", bytes("r")), .get("a")]))
            #expect(!result.succeeded)
            #expect(result.responses == [.put, .entry(a)])
            #expect(try await store.range(prefix: "").entries.map(\.key) == ["a", "right"])
        }
    }

    @Test(arguments: StoreKind.allCases)
    func comparisonsOfAPresentKey(_ kind: StoreKind) async throws {
        try await withStore(kind) { store in
            try await store.put("k", bytes("m"))
            let revision = try await store.put("k", bytes("m"))
            let before = Revision(rawValue: revision.rawValue - 1)
            typealias Target = Transaction.Comparison.Target
            let lesser: [Target] = [
                .value(bytes("l")), .version(1), .createRevision(.zero), .modRevision(before),
            ]
            let same: [Target] = [
                .value(bytes("m")), .version(2), .createRevision(before), .modRevision(revision),
                .lease(nil),
            ]
            let higher: [Target] = [
                .value(bytes("ma")), .version(3), .createRevision(revision),
                .modRevision(revision.next), .lease(LeaseID(rawValue: 7)),
            ]
            try await expectRelations(store, "k", lesser, hold: [.notEqual, .greater])
            try await expectRelations(store, "k", same, hold: [.equal])
            try await expectRelations(store, "k", higher, hold: [.notEqual, .less])
        }
    }

    @Test(arguments: StoreKind.allCases)
    func anAbsentKeyIsZeroAndHasNoValue(_ kind: StoreKind) async throws {
        try await withStore(kind) { store in
            try await expectRelations(
                store, "absent",
                [.version(0), .createRevision(.zero), .modRevision(.zero), .lease(nil)],
                hold: [.equal])
            try await expectRelations(store, "absent", [.value([])], hold: [])
        }
    }

    private func expectRelations(
        _ store: any MetadataStore, _ key: String,
        _ targets: [Transaction.Comparison.Target],
        hold holding: [Transaction.Comparison.Relation]
    ) async throws {
        for target in targets {
            for relation in [Transaction.Comparison.Relation.equal, .notEqual, .less, .greater] {
                let comparison = Transaction.Comparison(
                    key: key, target: target, relation: relation)
                let result = try await store.transaction(Transaction(if: [comparison], then: []))
                #expect(result.succeeded == holding.contains(relation), "\(comparison)")
            }
        }
    }

    @Test(arguments: StoreKind.allCases)
    func prefixesEndWhereTheirBytesDo(_ kind: StoreKind) async throws {
        try await withStore(kind) { store in
            let keys = ["a", "a/", "a/1", "a/\u{10FFFF}", "a0", "b", "\u{7F}", "é", "e\u{301}"]
            for key in keys { try await store.put(key, bytes(key)) }
            func found(_ prefix: String) async throws -> [String] {
                try await store.range(prefix: prefix).entries.map(\.key)
            }
            #expect(try await found("a/") == ["a/", "a/1", "a/\u{10FFFF}"])
            #expect(try await found("a") == ["a", "a/", "a/1", "a/\u{10FFFF}", "a0"])
            #expect(try await found("c") == [])
            #expect(try await found("").count == keys.count)
            // One character to Swift, two keys to everybody else.
            #expect(try await found("e").map { Array($0.utf8) } == [Array("e\u{301}".utf8)])
            #expect(try await store.get("é")?.value == bytes("é"))
            let result = try await store.transaction(Transaction(then: [.deletePrefix("a/")]))
            #expect(result.responses == [.deleted(3)])
            #expect(try await found("a") == ["a", "a0"])
            let rest = try await store.transaction(Transaction(then: [.deletePrefix("")]))
            #expect(rest.responses == [.deleted(keys.count - 3)])
        }
    }

    @Test(arguments: StoreKind.allCases)
    func keysAndValuesComeBackByteForByte(_ kind: StoreKind) async throws {
        try await withStore(kind) { store in
            let large = (0..<MetadataLimits.valueBytesMax).map { UInt8(truncatingIfNeeded: $0 &* 31) }
            let keys = ["日本語/🚀", "\u{0}nul", "space key", String(repeating: "k", count: 1024)]
            for key in keys {
                try await store.put(key, large)
                let entry = try #require(try await store.get(key))
                #expect(Array(entry.key.utf8) == Array(key.utf8))
                #expect(entry.value == large)
            }
        }
    }

    @Test(arguments: StoreKind.allCases)
    func refusedTransactionsChangeNothing(_ kind: StoreKind) async throws {
        try await withStore(kind) { store in
            let start = try await store.put("a", bytes("1"))
            await expectError(.leaseNotFound) {
                _ = try await store.transaction(Transaction(then: [
                    .put("a", bytes("2")), .put("b", [], lease: LeaseID(rawValue: 12_345)),
                ]))
            }
            await expectError(.invalidRequest) {
                _ = try await store.transaction(Transaction(then: [
                    .put("a", bytes("2")), .put("a", bytes("3")),
                ]))
            }
            await expectError(.invalidRequest) { try await store.put("", []) }
            await expectError(.invalidRequest) { _ = try await store.get("") }
            let snapshot = try await store.range(prefix: "")
            #expect(snapshot.revision == start)
            #expect(snapshot.entries.map(\.value) == [bytes("1")])
            // A lease that is not there matters only in the branch that runs.
            let result = try await store.transaction(Transaction(
                if: [.absent("a")], then: [.put("b", [], lease: LeaseID(rawValue: 9))]))
            #expect(!result.succeeded)
        }
    }

    @Test(arguments: StoreKind.allCases)
    func aClosedStoreSaysSo(_ kind: StoreKind) async throws {
        try await withStore(kind) { store in
            try await store.put("a", [])
            await store.close()
            await expectError(.closed) { _ = try await store.get("a") }
            await expectError(.closed) { try await store.put("a", []) }
            await expectError(.closed) { _ = try await store.grantLease(ttl: .seconds(1)) }
            var watch = store.watch(prefix: "", after: .zero).makeAsyncIterator()
            #expect(try await watch.next() == nil)
        }
    }
}
