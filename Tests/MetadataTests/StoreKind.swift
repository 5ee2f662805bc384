import Foundation
import Metadata
import MetadataEtcd
import MetadataSQLite
import Testing

/// The stores that must pass the conformance tests.
enum StoreKind: String, CaseIterable, CustomTestStringConvertible, Sendable {
    case memory, sqlite, etcd

    /// Those that this machine can run. `EtcdStoreTests` says what is missing.
    static var allCases: [StoreKind] {
        TestEtcdMember.program == nil ? [.memory, .sqlite] : [.memory, .sqlite, .etcd]
    }

    var testDescription: String { rawValue }
}

/// Runs `body` on a fresh store, which is closed and removed afterwards.
func withStore<Value>(
    _ kind: StoreKind, history: HistoryLimits = HistoryLimits(),
    _ body: (any MetadataStore) async throws -> Value
) async throws -> Value {
    switch kind {
    case .memory:
        let store = MemoryStore(history: history)
        return try await using(store, body)
    case .sqlite:
        return try await withFolder { folder in
            let options = SQLiteOptions(history: history)
            let store = try await SQLiteStore.open(path: "\(folder)/store.db", options: options)
            return try await using(store, body)
        }
    case .etcd:
        return try await TestEtcd.run { etcd in
            let store = try await EtcdStore.open(
                endpoints: etcd.endpoints, options: EtcdOptions(client: "test"))
            let isTrimmed = history != HistoryLimits()
            guard isTrimmed else { return try await using(store, body) }
            return try await using(TrimmingEtcd(store, history), body)
        }
    }
}

/// Closes the store after its use.
func using<Store: MetadataStore, Value>(
    _ store: Store, _ body: (Store) async throws -> Value
) async throws -> Value {
    do {
        let value = try await body(store)
        await store.close()
        return value
    } catch {
        await store.close()
        throw error
    }
}

/// Runs `body` with the path of a folder of its own.
func withFolder<Value>(_ body: (String) async throws -> Value) async throws -> Value {
    let parent = FileManager.default.temporaryDirectory.path
    let folder = "\(parent)/cio-metadata-tests-\(getpid())-\(UInt32.random(in: 0...UInt32.max))"
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: false)
    defer { try? FileManager.default.removeItem(atPath: folder) }
    return try await body(folder)
}

/// The changes of a watch, one by one, until `isLast` says so.
func collect(
    _ watch: Watch, until isLast: (Change) -> Bool
) async throws -> [Change] {
    var all: [Change] = []
    for try await batch in watch {
        all += batch.changes
        if batch.changes.contains(where: isLast) { break }
    }
    return all
}

/// The error of kind `kind` that `body` must throw.
func expectError(
    _ kind: MetadataError.Kind, outcome: MetadataError.Outcome = .notDone,
    _ location: SourceLocation = #_sourceLocation, _ body: () async throws -> Void
) async {
    do {
        try await body()
        Issue.record("expected \(kind)", sourceLocation: location)
    } catch let error as MetadataError {
        #expect(error.kind == kind, "\(error)", sourceLocation: location)
        #expect(error.outcome == outcome, "\(error)", sourceLocation: location)
    } catch {
        Issue.record("expected \(kind), not \(error)", sourceLocation: location)
    }
}

func bytes(_ text: String) -> [UInt8] { Array(text.utf8) }
