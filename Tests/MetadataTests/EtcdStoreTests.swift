import Foundation
import Metadata
import MetadataEtcd
import Testing

/// What only a store in etcd can do, and what can be wrong with an etcd.
@Suite(
    .serialized, .enabled(if: TestEtcdMember.program != nil, TestEtcdMember.isMissing),
    .timeLimit(.minutes(2)))
struct EtcdStoreTests {
    @Test func aSecondStoreContinuesAndSeesTheFirst() async throws {
        try await TestEtcd.run { etcd in
            try await etcd.withStore { one in
                let lease = try await one.grantLease(ttl: .seconds(60))
                try await one.put("a", bytes("1"), lease: lease.id)
                try await etcd.withStore(EtcdOptions(client: "two")) { two in
                    #expect(try await two.range(prefix: "").entries == one.range(prefix: "").entries)
                    #expect(try await two.keepAlive(lease.id) == lease)
                    var watch = one.watch(prefix: "b", after: .zero).makeAsyncIterator()
                    async let next = watch.next()
                    let put = try await two.put("b", [])
                    #expect(try await next?.revision == put)
                }
            }
        }
    }

    /// What `etcdctl` shows is what stands there.
    @Test func keysStandInEtcdAsTheyAre() async throws {
        try await TestEtcd.run { etcd in
            try await etcd.withStore { store in
                try await store.put("cio/nodes/1", bytes("{}"))
                let key = Data("cio/nodes/1".utf8).base64EncodedString()
                var request = URLRequestText(etcd.endpoints[0], "/v3/kv/range")
                request.body = "{\"key\":\"\(key)\"}"
                #expect(try request.send().contains("\"value\":\"e30=\""))
            }
        }
    }

    @Test func twoOfOneNameDoNotShareAStore() async throws {
        try await TestEtcd.run { etcd in
            try await etcd.withStore { first in
                try await first.put("k", bytes("1"))
                try await etcd.withStore { second in
                    try await second.put("k", bytes("2"))
                    await expectError(.replaced, outcome: .unknown) {
                        try await first.put("k", bytes("3"))
                    }
                    #expect(try await first.get("k")?.value == bytes("2"))
                    try await second.put("k", bytes("4"))
                }
            }
        }
    }

    @Test func manyTransactionsAtOnceTakeTurns() async throws {
        try await TestEtcd.run { etcd in
            try await etcd.withStore { store in
                try await withThrowingTaskGroup(of: Void.self) { group in
                    for index in 0..<200 {
                        group.addTask { try await store.put("k/\(index)", []) }
                    }
                    try await group.waitForAll()
                }
                let entries = try await store.range(prefix: "k/").entries
                #expect(entries.count == 200)
                #expect(Set(entries.map(\.modRevision)).count == 200)
                #expect(entries.allSatisfy { $0.version == 1 })
            }
        }
    }

    @Test func aRangeOfManyPagesIsOfOneMoment() async throws {
        try await TestEtcd.run { etcd in
            try await etcd.withStore { store in
                for batch in 0..<12 {
                    _ = try await store.transaction(Transaction(then: (0..<100).map {
                        .put("k/\(batch * 100 + $0)", bytes("0"))
                    }))
                }
                let changing = Task {
                    while !Task.isCancelled { try await store.put("k/1199", bytes("1")) }
                }
                for _ in 0..<20 {
                    let snapshot = try await store.range(prefix: "k/")
                    #expect(snapshot.entries.count == 1_200)
                    #expect(snapshot.entries.allSatisfy { $0.modRevision <= snapshot.revision })
                }
                changing.cancel()
                _ = await changing.result
            }
        }
    }

    @Test func transactionsOfTheLargestSizeGoThrough() async throws {
        try await TestEtcd.run { etcd in
            try await etcd.withStore { store in
                let count = MetadataLimits.operationsMax
                let puts = (0..<count).map { Transaction.Operation.put("k/\($0)", []) }
                let put = try await store.transaction(Transaction(then: puts))
                let deletes = (0..<count).map { Transaction.Operation.delete("k/\($0)") }
                let deleted = try await store.transaction(Transaction(then: deletes))
                #expect(deleted.revision == put.revision.next)
                #expect(deleted.responses == Array(repeating: .deleted(1), count: count))
                let half = [Transaction.Operation](deletes.prefix(count / 2))
                let none = try await store.transaction(Transaction(then: half, else: half))
                #expect(none.revision == deleted.revision)
                let value = [UInt8](repeating: 1, count: MetadataLimits.transactionBytesMax / 2 - 2)
                _ = try await store.transaction(Transaction(then: [
                    .put("a", value), .put("b", value),
                ]))
            }
        }
    }

    @Test func nobodyThereIsToldInTime() async throws {
        let options = EtcdOptions(client: "test", requestTimeout: .milliseconds(300))
        let endpoints = [
            EtcdEndpoint(host: "127.0.0.1", port: 1), EtcdEndpoint(host: "127.0.0.1", port: 2),
        ]
        do {
            let store = try await EtcdStore.open(endpoints: endpoints, options: options)
            await store.close()
            Issue.record("opened without an etcd")
        } catch {
            #expect(error.kind == .unavailable)
            #expect(error.outcome == .notDone)
            let text = "\(error)"
            #expect(text.contains("http://127.0.0.1:1: Connection refused"), "\(text)")
            #expect(text.contains("http://127.0.0.1:2: Connection refused"), "\(text)")
            #expect(text.contains("more than half of the etcd members"), "\(text)")
        }
    }

    @Test(arguments: [
        ("{\"etcdserver\":\"3.3.25\",\"etcdcluster\":\"3.3.0\"}", "it is etcd 3.3.25"),
        ("<html>hello</html>", "it is not an etcd"),
        ("{\"etcdserver\":\"new\"}", "it is not an etcd"),
    ])
    func whatIsNoEtcdIsToldAtTheStart(answer: String, text: String) async throws {
        let server = try AnsweringServer(answer)
        defer { server.close() }
        do {
            let store = try await EtcdStore.open(
                endpoints: [server.endpoint], options: EtcdOptions(client: "test"))
            await store.close()
            Issue.record("opened what is no etcd")
        } catch {
            #expect(error.kind == .foreign)
            #expect("\(error)".contains(text), "\(error)")
            #expect("\(error)".contains("\(server.endpoint)"), "\(error)")
        }
    }

    @Test func twoClustersAreNotMixed() async throws {
        try await TestEtcd.run { one in
            try await TestEtcd.run { other in
                let proxy = try LossyProxy(to: one.endpoints[0])
                let options = EtcdOptions(client: "test", requestTimeout: .seconds(1))
                try await one.withStore(
                    options, endpoints: [proxy.endpoint, other.endpoints[0]]
                ) { store in
                    try await store.put("k", [])
                    proxy.close()
                    await expectError(.unavailable, outcome: .unknown) {
                        try await store.put("k", [])
                    }
                    try await other.withStore { other in
                        let found = try await other.get("k")
                        #expect(found == nil)
                    }
                }
            }
        }
    }

    @Test func closingEndsWhatIsUnderWay() async throws {
        try await TestEtcd.run { etcd in
            let proxy = try LossyProxy(to: etcd.endpoints[0])
            defer { proxy.close() }
            try await etcd.withStore(endpoints: [proxy.endpoint]) { store in
                proxy.lose(.hold, of: "/v3/kv/txn")
                let put = Task { try await store.put("k", []) }
                while proxy.lost == 0 { try await Task.sleep(for: .milliseconds(1)) }
                await store.close()
                await expectError(.unavailable, outcome: .unknown) { _ = try await put.value }
                await expectError(.closed) { _ = try await store.get("k") }
            }
        }
    }
}
