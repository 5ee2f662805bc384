import Metadata
import MetadataEtcd
import Testing

/// Replies that are lost on their way from etcd, one by one and on purpose.
@Suite(
    .serialized, .enabled(if: TestEtcdMember.program != nil, TestEtcdMember.isMissing),
    .timeLimit(.minutes(2)))
struct LostReplyTests {
    private func withProxy(_ body: (TestEtcd, LossyProxy, EtcdStore) async throws -> Void) async throws {
        try await TestEtcd.run { etcd in
            let proxy = try LossyProxy(to: etcd.endpoints[0])
            defer { proxy.close() }
            try await etcd.withStore(endpoints: [proxy.endpoint]) { store in
                try await body(etcd, proxy, store)
            }
        }
    }

    @Test func aPutWhoseReplyIsLostIsDoneOnce() async throws {
        try await withProxy { _, proxy, store in
            let start = try await store.put("k", bytes("0"))
            proxy.lose(.reply, of: "/v3/kv/txn")
            #expect(try await store.put("k", bytes("1")) == start.next)
            #expect(proxy.lost == 1)
            let entry = try #require(try await store.get("k"))
            #expect(entry.version == 2)
            #expect(entry.modRevision == start.next)
            // And the slot goes on.
            #expect(try await store.put("k", bytes("2")) == start.next.next)
        }
    }

    /// The request was under way for longer than we waited, and arrives after it was sent again.
    @Test func aCopyThatComesLateDoesNothing() async throws {
        try await withProxy { _, proxy, store in
            let start = try await store.put("k", bytes("0"))
            proxy.lose(.delay, of: "/v3/kv/txn")
            #expect(try await store.put("k", bytes("1")) == start.next)
            try await store.put("k", bytes("2"))
            #expect(proxy.lost == 1)
            #expect(try proxy.release().hasPrefix("HTTP/1.1 200"))
            let entry = try #require(try await store.get("k"))
            #expect(entry.value == bytes("2"))
            #expect(entry.version == 3)
            #expect(try await store.range(prefix: "").revision == start.next.next)
        }
    }

    /// Given up, and then it comes through after all: whoever uses the slot next finds out.
    @Test func aCopyThatWasGivenUpIsNotTakenForAnother() async throws {
        try await TestEtcd.run { etcd in
            let proxy = try LossyProxy(to: etcd.endpoints[0])
            defer { proxy.close() }
            let hasty = EtcdOptions(
                client: "test", attemptTimeout: .milliseconds(500),
                requestTimeout: .milliseconds(500))
            try await etcd.withStore(hasty, endpoints: [proxy.endpoint]) { store in
                try await store.put("k", bytes("0"))
                proxy.lose(.hold, of: "/v3/kv/txn")
                await expectError(.unavailable, outcome: .unknown) {
                    try await store.put("k", bytes("1"))
                }
                #expect(try proxy.release().hasPrefix("HTTP/1.1 200"))
                #expect(try await store.get("k")?.value == bytes("1"))
                for index in 2..<42 { try await store.put("k", bytes("\(index)")) }
                #expect(try await store.get("k")?.version == 42)
            }
        }
    }

    @Test func theLostReplyOfAComparisonThatHeldSaysThatItHeld() async throws {
        try await withProxy { _, proxy, store in
            try await store.put("k", bytes("old"))
            let before = try await store.get("k")
            proxy.lose(.reply, of: "/v3/kv/txn")
            let result = try await store.transaction(Transaction(
                if: [.unchanged("k", since: before)],
                then: [.get("k"), .put("k", bytes("new")), .get("k"), .delete("none")],
                else: [.get("k")]))
            #expect(proxy.lost == 1)
            #expect(result.succeeded)
            let after = try await store.get("k")
            #expect(result.revision == after?.modRevision)
            #expect(result.responses == [.entry(before), .put, .entry(after), .deleted(0)])
        }
    }

    @Test func theLostReplyOfTheOtherBranchSaysSo() async throws {
        try await withProxy { _, proxy, store in
            let start = try await store.put("k", bytes("theirs"))
            proxy.lose(.reply, of: "/v3/kv/txn")
            let result = try await store.transaction(Transaction(
                if: [.absent("k")], then: [.put("k", bytes("ours"))],
                else: [.put("seen", []), .get("k")]))
            #expect(proxy.lost == 1)
            #expect(!result.succeeded)
            #expect(result.revision == start.next)
            #expect(result.responses.last == .entry(try await store.get("k")))
            #expect(try await store.get("seen")?.version == 1)
        }
    }

    @Test func theLostReplyOfADeletionCountsWhatItDeleted() async throws {
        try await withProxy { _, proxy, store in
            for index in 0..<5 { try await store.put("d/\(index)", bytes("\(index)")) }
            let kept = try await store.put("e", [])
            proxy.lose(.reply, of: "/v3/kv/txn")
            let result = try await store.transaction(Transaction(then: [
                .delete("d/1"), .range(prefix: "d/"), .deletePrefix("d/"), .delete("none"),
            ]))
            #expect(proxy.lost == 1)
            #expect(result.revision == kept.next)
            #expect(result.responses.first == .deleted(1))
            #expect(result.responses.suffix(2) == [.deleted(4), .deleted(0)])
            guard case .entries(let entries) = result.responses[1] else {
                Issue.record("no entries in \(result)")
                return
            }
            #expect(entries.map(\.key) == ["d/0", "d/2", "d/3", "d/4"])
            #expect(try await store.range(prefix: "").entries.map(\.key) == ["e"])
        }
    }

    /// Nothing was there to delete: doing it again must not delete what came in between.
    @Test func aDeletionThatFoundSomethingIsNotRepeated() async throws {
        try await withProxy { etcd, proxy, store in
            try await store.put("k", bytes("old"))
            try await etcd.withStore(EtcdOptions(client: "rival")) { rival in
                proxy.lose(.delay, of: "/v3/kv/txn")
                #expect(try await store.delete("k"))
                try await rival.put("k", bytes("rival's"))
                _ = try proxy.release()
                #expect(try await store.get("k")?.value == bytes("rival's"))
            }
        }
    }

    @Test func aLeaseWhoseGrantWasNotHeardOfIsGrantedOnce() async throws {
        try await withProxy { _, proxy, store in
            proxy.lose(.reply, of: "/v3/lease/grant")
            let lease = try await store.grantLease(ttl: .seconds(30))
            #expect(proxy.lost == 1)
            #expect(lease.ttl == .seconds(30))
            try await store.put("k", [], lease: lease.id)
            proxy.lose(.reply, of: "/v3/lease/keepalive")
            #expect(try await store.keepAlive(lease.id) == lease)
            proxy.lose(.reply, of: "/v3/lease/revoke")
            try await store.revoke(lease.id)
            #expect(proxy.lost == 3)
            #expect(try await store.get("k") == nil)
            await expectError(.leaseNotFound) { try await store.revoke(lease.id) }
        }
    }

    @Test func openingWithALostReplyTakesTheSlots() async throws {
        try await TestEtcd.run { etcd in
            let proxy = try LossyProxy(to: etcd.endpoints[0])
            defer { proxy.close() }
            // The first transaction reads the slots, and is sent again.
            proxy.lose(.reply, of: "/v3/kv/txn")
            try await etcd.withStore(endpoints: [proxy.endpoint]) { store in
                #expect(proxy.lost == 1)
                try await store.put("k", [])
            }
        }
    }

    /// Cut again and again while changes come.
    @Test func aWatchThatIsCutMissesAndRepeatsNothing() async throws {
        try await withProxy { etcd, proxy, store in
            async let seen = collect(store.watch(prefix: "w/", after: .zero)) { $0.key == "w/end" }
            try await etcd.withStore(EtcdOptions(client: "writer")) { writer in
                for index in 0..<300 {
                    _ = try await writer.transaction(Transaction(then: [
                        .put("w/\(index)/a", []), .put("w/\(index)/b", []),
                    ]))
                    if index % 20 == 10 { proxy.cut() }
                }
                try await writer.put("w/end", [])
            }
            let keys = try await seen.map(\.key)
            #expect(keys == (0..<300).flatMap { ["w/\($0)/a", "w/\($0)/b"] } + ["w/end"])
        }
    }

    @Test func aWatchThatWasCutForTooLongIsTold() async throws {
        try await withProxy { etcd, proxy, store in
            var watch = store.watch(prefix: "k", after: .zero).makeAsyncIterator()
            let first = try await store.put("k", bytes("0"))
            #expect(try await watch.next()?.revision == first)
            proxy.close()
            try await etcd.withStore(EtcdOptions(client: "writer")) { writer in
                var last = first
                for index in 1..<10 { last = try await writer.put("k", bytes("\(index)")) }
                try await writer.compact(through: last)
                var late = writer.watch(prefix: "k", after: first).makeAsyncIterator()
                await expectError(.compacted(oldest: last)) { _ = try await late.next() }
                let snapshot = try await writer.range(prefix: "k")
                var again = writer.watch(
                    prefix: "k", after: snapshot.revision).makeAsyncIterator()
                let next = try await writer.put("k", bytes("10"))
                #expect(try await again.next()?.changes.map(\.revision) == [next])
            }
        }
    }
}
