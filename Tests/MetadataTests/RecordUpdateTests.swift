import Metadata
import Testing

struct RecordUpdateTests {
    private struct Volume: Codable, Equatable {
        var name: String
        var copies: Int
    }

    @Test(arguments: StoreKind.allCases)
    func noIncrementOfManyTasksIsLost(_ kind: StoreKind) async throws {
        try await withStore(kind) { store in
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<16 {
                    group.addTask {
                        for _ in 0..<20 {
                            let retries = UpdateRetries(attemptsMax: 1_000)
                            try await store.update("n", as: Int.self, retries: retries) {
                                ($0 ?? 0) + 1
                            }
                        }
                    }
                }
                try await group.waitForAll()
            }
            let counter: Stored<Int>? = try await store.record("n")
            #expect(counter?.record == 320)
            #expect(counter?.entry.version == 320)
        }
    }

    @Test(arguments: StoreKind.allCases)
    func oneOfManyCreatesAKey(_ kind: StoreKind) async throws {
        try await withStore(kind) { store in
            let winners = try await withThrowingTaskGroup(of: Bool.self) { group in
                for index in 0..<20 {
                    group.addTask { try await store.create("one", record: index) }
                }
                return try await group.reduce(0) { $0 + ($1 ? 1 : 0) }
            }
            #expect(winners == 1)
        }
    }

    @Test(arguments: StoreKind.allCases)
    func anUpdateReturnsTheEntryAsItIs(_ kind: StoreKind) async throws {
        try await withStore(kind) { store in
            let lease = try await store.grantLease(ttl: .seconds(60))
            let volume = Volume(name: "v", copies: 2)
            try await store.put("volumes/v", record: volume, lease: lease.id)
            let stored = try await store.update("volumes/v", as: Volume.self) {
                var volume = try #require($0)
                volume.copies = 3
                return volume
            }
            #expect(stored?.record == Volume(name: "v", copies: 3))
            #expect(stored?.entry == (try await store.get("volumes/v")))
            #expect(stored?.entry.lease == lease.id)
            let unchanged = try await store.update("volumes/v", as: Volume.self) { _ in nil }
            #expect(unchanged?.entry == stored?.entry)
            let all = try await store.records(prefix: "volumes/", as: Volume.self)
            #expect(all.records.map(\.record.copies) == [3])
            #expect(try await store.delete(ifUnchanged: #require(stored?.entry)))
        }
    }

    @Test(arguments: StoreKind.allCases)
    func lostRepliesNeitherLoseNorRepeatAChangeWithANonce(_ kind: StoreKind) async throws {
        try await withStore(kind) { inner in
            let store = FaultyStore(inner, lostReplies: 5, lostRequests: 3)
            var nonces: [UInt64] = []
            for nonce in UInt64(0)..<40 {
                try await store.update("log", as: [UInt64].self) { log in
                    log?.last == nonce ? nil : (log ?? []) + [nonce]
                }
                nonces.append(nonce)
            }
            let log: Stored<[UInt64]>? = try await inner.record("log")
            #expect(log?.record == nonces)
            #expect(store.repliesLost > 0 && store.requestsLost > 0)
        }
    }

    /// The rule for epochs: the same transaction again, and a conflict that carries our own nonce
    /// is success.
    @Test(arguments: StoreKind.allCases)
    func anIdenticalTransactionSentAgainFindsItsOwnNonce(_ kind: StoreKind) async throws {
        try await withStore(kind) { inner in
            let store = FaultyStore(inner, lostReplies: 1, lostRequests: 0)
            try await inner.put("epoch", bytes("1 theirs"))
            let before = try await inner.get("epoch")
            let transaction = Transaction(
                if: [.unchanged("epoch", since: before)],
                then: [.put("epoch", bytes("2 ours"))], else: [.get("epoch")])
            await expectError(.unavailable, outcome: .unknown) {
                _ = try await store.transaction(transaction)
            }
            let again = try await inner.transaction(transaction)
            #expect(!again.succeeded)
            guard case .entry(let found?) = again.responses.first else {
                Issue.record("no entry in \(again)")
                return
            }
            #expect(found.value == bytes("2 ours"))
        }
    }

    @Test(arguments: StoreKind.allCases)
    func anUpdateGivesUpUnderContention(_ kind: StoreKind) async throws {
        try await withStore(kind) { inner in
            let store = FaultyStore(inner) { try await $0.put("k", bytes("7")) }
            await expectError(.contended) {
                try await store.update(
                    "k", as: Int.self, retries: UpdateRetries(attemptsMax: 3)
                ) { ($0 ?? 0) + 1 }
            }
            let entry = try await inner.get("k")
            #expect(entry?.value == bytes("7"))
        }
    }

    @Test(arguments: StoreKind.allCases)
    func aValueThatIsNoRecordIsReported(_ kind: StoreKind) async throws {
        try await withStore(kind) { store in
            try await store.put("k", bytes("{ not json"))
            await expectError(.undecodable) {
                let _: Stored<Volume>? = try await store.record("k")
            }
        }
    }
}
