import Foundation
import Glibc
import Metadata
import MetadataEtcd
import MetadataSQLite
import Testing

/// What a store says of itself.
@Suite struct StandingTests {
    @Test(arguments: StoreKind.allCases)
    func aStoreThatAnswersSaysSo(kind: StoreKind) async throws {
        try await withStore(kind) { store in
            let standing = await store.standing()
            #expect(standing.kind.rawValue == kind.rawValue)
            #expect(standing.isReachable)
            #expect(standing.endpoints.allSatisfy { $0.isReachable })
            #expect(standing.endpoints.count == (kind == .memory ? 0 : 1))
        }
    }

    @Test(arguments: [StoreKind.memory, .sqlite])
    func aStoreThatIsClosedDoesNot(kind: StoreKind) async throws {
        try await withStore(kind) { store in
            await store.close()
            let standing = await store.standing()
            #expect(!standing.isReachable)
        }
    }

    @Test func aFileThatWasRemovedDoesNotAnswer() async throws {
        try await withFolder { folder in
            let path = "\(folder)/store.db"
            let store = try await SQLiteStore.open(path: path)
            try await using(store) { store in
                try FileManager.default.removeItem(atPath: path)
                let standing = await store.standing()
                #expect(!standing.isReachable)
                #expect(standing.endpoints == [.init(address: path, isReachable: false)])
            }
        }
    }

    @Test(.enabled(if: TestEtcdMember.program != nil, TestEtcdMember.isMissing))
    func membersSayWhatTheyAre() async throws {
        try await TestEtcd.run(3) { etcd in
            let leader = try await etcd.leader()
            try await etcd.withStore { store in
                let all = await store.standing()
                #expect(all.isReachable)
                #expect(all.endpoints.map(\.address) == etcd.endpoints.map { "\($0)" })
                let roles = etcd.members.map { $0 === leader ? "leader" : "follower" }
                #expect(all.endpoints.map(\.role) == roles)
                // One that hangs is not there, and the others go on.
                let follower = try #require(etcd.members.first { $0 !== leader })
                follower.signal(SIGSTOP)
                let two = await store.standing()
                #expect(two.isReachable)
                let silent = two.endpoints.filter { !$0.isReachable }
                #expect(silent.map(\.address) == ["\(follower.endpoint)"])
                // Without a majority nobody leads, sooner or later.
                let other = try #require(
                    etcd.members.first { $0 !== leader && $0 !== follower })
                other.kill()
                var one = await store.standing()
                while one.isReachable { one = await store.standing() }
                #expect(one.endpoints.filter(\.isReachable).map(\.role) == ["electing"])
                leader.kill()
                let none = await store.standing()
                #expect(!none.isReachable && none.endpoints.allSatisfy { !$0.isReachable })
                follower.signal(SIGCONT)
            }
        }
    }
}
