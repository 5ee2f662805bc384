import Glibc
import Metadata
import MetadataEtcd
import Testing

/// Three members, of which some die, stop, and come back.
@Suite(
    .serialized, .enabled(if: TestEtcdMember.program != nil, TestEtcdMember.isMissing),
    .timeLimit(.minutes(3)))
struct EtcdMembersTests {
    enum Blow: String, CaseIterable, Sendable {
        case killed, stopped
    }

    /// A writer, a watch and the holder of a lease of three seconds, as every `ciod` has them, while
    /// the leader goes, comes back, and the next one goes.
    @Test(arguments: Blow.allCases)
    func theLossOfALeaderIsNotNoticed(_ blow: Blow) async throws {
        try await TestEtcd.run(3) { etcd in
            // The leader first, so that everything was under way at the one that is lost.
            let leader = try await etcd.leader().endpoint
            let endpoints = [leader] + etcd.endpoints.filter { $0 != leader }
            try await etcd.withStore(EtcdOptions(client: "writer"), endpoints: endpoints) { writer in
                try await etcd.withStore(EtcdOptions(client: "holder"), endpoints: endpoints) {
                    holder in
                    let lease = try await holder.grantLease(ttl: .seconds(3))
                    let held = try await holder.put("held", [], lease: lease.id)
                    let keeping = Task { try await keep(lease, holder) }
                    async let changes = collect(holder.watch(prefix: "", after: held)) {
                        $0.key == "end"
                    }
                    let written = Task { try await write(writer) }
                    for _ in 0..<2 { try await strike(blow, etcd) }
                    written.cancel()
                    let count = try await written.value
                    try await writer.put("end", [])
                    keeping.cancel()
                    try await keeping.value
                    try await expectOnce(try await changes, count, after: held)
                    #expect(try await writer.get("held") != nil)
                }
            }
        }
    }

    /// Takes the leader away until there is another one, and brings it back.
    private func strike(_ blow: Blow, _ etcd: TestEtcd) async throws {
        let leader = try await etcd.leader()
        if blow == .killed { leader.kill() } else { leader.signal(SIGSTOP) }
        _ = try await etcd.leader(amongOthersThan: leader)
        try await Task.sleep(for: .milliseconds(500))
        if blow == .killed { try leader.start() } else { leader.signal(SIGCONT) }
        _ = try await etcd.leader()
    }

    /// Writes one thing after the other, each a change that would show if it were done twice,
    /// until the task is cancelled. Returns how many there were.
    private func write(_ store: EtcdStore) async throws -> Int {
        var count = 0
        while !Task.isCancelled {
            let next = Transaction(then: [.put("w/count", []), .put("w/\(count)", [])])
            // In a task of its own: being cancelled is no reason to give it up.
            let result = try await Task { try await store.transaction(next) }.value
            #expect(result.succeeded)
            count += 1
        }
        return count
    }

    /// As a node does it: every second, and a failure is the end of it.
    private func keep(_ lease: Lease, _ store: EtcdStore) async throws {
        while !Task.isCancelled {
            let renewed = try await Task { try await store.keepAlive(lease.id) }.value
            #expect(renewed.ttl >= .seconds(3))
            try? await Task.sleep(for: .seconds(1))
        }
    }

    private func expectOnce(
        _ changes: [Change], _ count: Int, after held: Revision
    ) async throws {
        #expect(count > 10)
        let written = changes.dropLast()
        let expected = (0..<count).flatMap { ["w/count", "w/\($0)"] }
        #expect(written.map(\.key) == expected)
        // Each in the revision after the one before it: nothing was done twice, not even what
        // leaves no other trace. (The first follows the lease's key, as all stores are open.)
        let revisions = written.filter { $0.key == "w/count" }.map(\.revision.rawValue)
        #expect(revisions == (0..<count).map { held.rawValue + 1 + Int64($0) })
        guard case .put(let last)? = written.dropLast().last else {
            Issue.record("the last change is no put")
            return
        }
        #expect(last.version == Int64(count))
    }

    /// A call fails in its time, with a text that tells where it was tried; and goes on afterwards.
    @Test func withoutAMajorityCallsFailInTimeAndGoOnAfterwards() async throws {
        try await TestEtcd.run(3) { etcd in
            let options = EtcdOptions(
                client: "test", attemptTimeout: .milliseconds(500), requestTimeout: .seconds(2))
            try await etcd.withStore(options) { store in
                let before = try await store.put("k", bytes("1"))
                async let next = collect(store.watch(prefix: "k", after: before)) {
                    $0.key == "k/end"
                }
                etcd.members[1].kill()
                etcd.members[2].signal(SIGSTOP)
                let began = ContinuousClock.now
                await expectError(.unavailable) { _ = try await store.get("k") }
                do {
                    try await store.put("k", bytes("2"))
                    Issue.record("a put without a majority")
                } catch let error as MetadataError {
                    #expect(error.kind == .unavailable)
                    for endpoint in etcd.endpoints {
                        #expect("\(error)".contains("\(endpoint): "), "\(error)")
                    }
                }
                // Two calls of two seconds each; the rest is what a machine under load takes.
                #expect(ContinuousClock.now - began < .seconds(8))
                try etcd.members[1].start()
                etcd.members[2].signal(SIGCONT)
                _ = try await etcd.leader()
                try await store.put("k/end", [])
                // The put that was given up was done once, or never.
                let keys = try await next.map(\.key)
                #expect([["k/end"], ["k", "k/end"]].contains(keys))
                let version = try await store.get("k")?.version
                #expect(version == Int64(keys.count))
            }
        }
    }

    /// A follower that stops is noticed by a watch that hears nothing from it.
    @Test func aWatchLeavesAMemberThatStops() async throws {
        try await TestEtcd.run(3) { etcd in
            let leader = try await etcd.leader()
            let follower = try #require(etcd.members.first { $0 !== leader })
            let endpoints = [follower.endpoint, leader.endpoint]
            let options = EtcdOptions(client: "watcher", pulse: .milliseconds(200))
            try await etcd.withStore(options, endpoints: endpoints) { watcher in
                var watch = watcher.watch(prefix: "k", after: .zero).makeAsyncIterator()
                try await etcd.withStore(EtcdOptions(client: "writer"), endpoints: [leader.endpoint]) {
                    writer in
                    let first = try await writer.put("k", bytes("1"))
                    #expect(try await watch.next()?.revision == first)
                    follower.signal(SIGSTOP)
                    let second = try await writer.put("k", bytes("2"))
                    #expect(try await watch.next()?.changes.map(\.revision) == [second])
                    follower.signal(SIGCONT)
                }
            }
        }
    }
}
