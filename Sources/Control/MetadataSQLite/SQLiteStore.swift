import Foundation
import Metadata

/// A metadata store in one SQLite file, which any number of processes on one machine share.
///
/// A transaction is durable when it is answered (`synchronous = FULL`). Other processes' watches
/// are woken through inotify. Leases are measured with CLOCK_BOOTTIME; after a restart of the
/// machine all of them have run out. While nothing happens the store looks at its revision once a
/// second and does nothing else.
///
/// The folder must be on a local filesystem: the processes share memory through the -shm file.
public final class SQLiteStore: MetadataStore {
    private let connections: SQLiteConnections
    private let signal: RevisionSignal
    private let pump: ChangePump

    /// Opens the store at `path`, or makes a new one there. The folder must exist.
    public static func open(
        path: String, options: SQLiteOptions = SQLiteOptions()
    ) async throws(MetadataError) -> SQLiteStore {
        try await open(path: path, options: options, boot: nil)
    }

    /// `boot` stands in for the kernel's boot id, nil.
    static func open(
        path: String, options: SQLiteOptions, boot: BootID?
    ) async throws(MetadataError) -> SQLiteStore {
        let result = await withCheckedContinuation { continuation in
            DispatchQueue.global().async {
                continuation.resume(returning: Result { () throws(MetadataError) in
                    let connections = try SQLiteConnections.open(
                        path: path, options: options, boot: boot)
                    return try SQLiteStore(connections)
                })
            }
        }
        return try result.get()
    }

    private init(_ connections: SQLiteConnections) throws(MetadataError) {
        self.connections = connections
        signal = RevisionSignal(latest: .zero)
        pump = try ChangePump(
            connections, signal: signal, connections.context("open", on: connections.path))
    }

    deinit {
        signal.close()
        pump.stop()
    }

    /// Reads wait for nobody; so whoever holds the lock of writers goes unnoticed.
    public func standing() async -> StoreStanding {
        let context = connections.context("look at", on: connections.path)
        let header = try? await connections.read(context) { view throws(MetadataError) in
            try view.header()
        }
        let endpoint = StoreStanding.Endpoint(
            address: connections.path, isReachable: header != nil)
        return StoreStanding(
            kind: .sqlite, isReachable: endpoint.isReachable, endpoints: [endpoint])
    }

    public func get(_ key: String) async throws(MetadataError) -> Entry? {
        try MetadataError.check(key: key, operation: "get")
        return try await readLive("get", on: key) { view throws(MetadataError) in
            try view.entry(at: key)
        }
    }

    public func range(prefix: String) async throws(MetadataError) -> Snapshot {
        try MetadataError.check(prefix: prefix, operation: "range")
        return try await readLive("range", on: prefix) { view throws(MetadataError) in
            let revision = try view.header().revision
            return Snapshot(entries: try view.entries(prefix: prefix), revision: revision)
        }
    }

    public func transaction(
        _ transaction: Transaction
    ) async throws(MetadataError) -> TransactionResult {
        try transaction.validate()
        let context = connections.context("transaction", on: transaction.summary)
        return try await connections.write(context) { target throws(MetadataError) in
            try target.perform(transaction)
        }
    }

    public func watch(prefix: String, after revision: Revision) -> Watch {
        let context = connections.context("watch", on: prefix)
        return Watch(prefix: prefix, after: revision, woken: signal) {
            [connections] cursor throws(MetadataError) in
            try await connections.read(context) { view throws(MetadataError) in
                try view.page(prefix: prefix, after: cursor)
            }
        }
    }

    public func close() async {
        signal.close()
        pump.stop()
        await pump.waitUntilStopped()
        await withCheckedContinuation { continuation in
            DispatchQueue.global().async { [connections] in
                connections.close()
                continuation.resume()
            }
        }
    }

    /// Reads after making sure that nothing of a lease that has run out is left to be seen.
    private func readLive<Value: Sendable>(
        _ operation: String, on object: String,
        _ body: @escaping @Sendable (StoreView) throws(MetadataError) -> Value
    ) async throws(MetadataError) -> Value {
        let context = connections.context(operation, on: object)
        while true {
            let read = try await connections.read(context) {
                [connections] view throws(MetadataError) -> Value? in
                let time = connections.leaseTime
                if let due = try view.earliestDeadline(boot: time.boot), due <= time.now {
                    return .none
                }
                return .some(try body(view))
            }
            if case .some(let value) = read { return value }
            try await connections.write(context) { _ in }
        }
    }
}

// Leases.
extension SQLiteStore {
    public func grantLease(ttl: Duration) async throws(MetadataError) -> Lease {
        try MetadataError.check(ttl: ttl)
        let lease = Lease(id: .random(), ttl: ttl)
        let context = connections.context("grant", on: "a lease")
        try await connections.write(context) { target throws(MetadataError) in
            try target.addLease(lease)
        }
        return lease
    }

    @discardableResult
    public func keepAlive(_ lease: LeaseID) async throws(MetadataError) -> Lease {
        let context = connections.context("keep-alive", on: "lease \(lease)")
        return try await connections.write(context) { target throws(MetadataError) in
            guard let renewed = try target.renewLease(lease) else {
                throw .leaseNotFound("keep-alive", lease)
            }
            return renewed
        }
    }

    public func revoke(_ lease: LeaseID) async throws(MetadataError) {
        let context = connections.context("revoke", on: "lease \(lease)")
        try await connections.write(context) { target throws(MetadataError) in
            guard try target.hasLease(lease) else { throw .leaseNotFound("revoke", lease) }
            try target.revoke(lease)
        }
    }
}
