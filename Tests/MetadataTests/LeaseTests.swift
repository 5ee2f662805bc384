import Metadata
import Testing

struct LeaseTests {
    private let short = Duration.seconds(1)

    @Test(arguments: StoreKind.allCases)
    func keysOfALeaseVanishWithItThoughNobodyWrites(_ kind: StoreKind) async throws {
        try await withStore(kind) { store in
            let granted = ContinuousClock.now
            let lease = try await store.grantLease(ttl: short)
            #expect(lease.ttl >= short)
            let put = try await store.transaction(Transaction(then: [
                .put("live/a", [], lease: lease.id), .put("live/b", [], lease: lease.id),
                .put("plain", []),
            ])).revision
            #expect(try await store.get("live/a")?.lease == lease.id)
            let changes = try await collect(store.watch(prefix: "", after: put)) { _ in true }
            #expect(ContinuousClock.now - granted >= short)
            #expect(changes == [
                .delete(key: "live/a", revision: put.next),
                .delete(key: "live/b", revision: put.next),
            ])
            #expect(try await store.range(prefix: "").entries.map(\.key) == ["plain"])
            await expectError(.leaseNotFound) { try await store.keepAlive(lease.id) }
            await expectError(.leaseNotFound) { try await store.revoke(lease.id) }
            await expectError(.leaseNotFound) { try await store.put("x", [], lease: lease.id) }
        }
    }

    @Test(arguments: StoreKind.allCases)
    func aLeaseThatIsKeptAliveLives(_ kind: StoreKind) async throws {
        try await withStore(kind) { store in
            let kept = try await store.grantLease(ttl: .seconds(30))
            let dropped = try await store.grantLease(ttl: short)
            try await store.put("kept", [], lease: kept.id)
            let put = try await store.put("dropped", [], lease: dropped.id)
            #expect(try await store.keepAlive(kept.id) == kept)
            let changes = try await collect(store.watch(prefix: "", after: put)) { _ in true }
            #expect(changes.map(\.key) == ["dropped"])
            #expect(try await store.keepAlive(kept.id) == kept)
            #expect(try await store.get("kept") != nil)
        }
    }

    @Test(arguments: StoreKind.allCases)
    func keepingAliveMovesTheEnd(_ kind: StoreKind) async throws {
        try await withStore(kind) { store in
            let lease = try await store.grantLease(ttl: short)
            let put = try await store.put("k", [], lease: lease.id)
            var renewed = ContinuousClock.now
            for _ in 0..<5 {
                try await Task.sleep(for: short / 3)
                let now = ContinuousClock.now
                do throws(MetadataError) {
                    try await store.keepAlive(lease.id)
                    renewed = now
                } catch {
                    // A machine that stood still for so long that the lease ran out.
                    #expect(error.kind == .leaseNotFound)
                    #expect(now - renewed > short / 2)
                    return
                }
            }
            let changes = try await collect(store.watch(prefix: "", after: put)) { _ in true }
            #expect(changes.map(\.key) == ["k"])
            #expect(ContinuousClock.now - renewed >= short)
        }
    }

    @Test(arguments: StoreKind.allCases)
    func revokingDeletesAtOnce(_ kind: StoreKind) async throws {
        try await withStore(kind) { store in
            let lease = try await store.grantLease(ttl: .seconds(60))
            let put = try await store.put("k", [], lease: lease.id)
            try await store.revoke(lease.id)
            #expect(try await store.get("k") == nil)
            let changes = try await collect(store.watch(prefix: "", after: put)) { _ in true }
            #expect(changes == [.delete(key: "k", revision: put.next)])
            await expectError(.leaseNotFound) { try await store.revoke(lease.id) }
        }
    }

    @Test(arguments: StoreKind.allCases)
    func aPutWithoutTheLeaseDetachesTheKey(_ kind: StoreKind) async throws {
        try await withStore(kind) { store in
            let lease = try await store.grantLease(ttl: .seconds(60))
            try await store.put("moved", [], lease: lease.id)
            try await store.put("stays", [], lease: lease.id)
            let other = try await store.grantLease(ttl: .seconds(60))
            try await store.put("moved", [], lease: other.id)
            try await store.put("stays", [])
            let before = try await store.range(prefix: "")
            try await store.revoke(lease.id)
            // Nothing belonged to it any more, so nothing changed.
            #expect(try await store.range(prefix: "") == before)
            try await store.revoke(other.id)
            #expect(try await store.range(prefix: "").entries.map(\.key) == ["stays"])
        }
    }

    @Test(arguments: StoreKind.allCases)
    func leaseTimesAreBounded(_ kind: StoreKind) async throws {
        try await withStore(kind) { store in
            await expectError(.invalidRequest) { _ = try await store.grantLease(ttl: .zero) }
            await expectError(.invalidRequest) {
                _ = try await store.grantLease(ttl: .seconds(1_000_000))
            }
        }
    }
}
