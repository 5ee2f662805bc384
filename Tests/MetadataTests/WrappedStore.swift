import Metadata

/// A store that leaves to another one what it does not do by itself.
protocol WrappedStore: MetadataStore {
    var inner: any MetadataStore { get }
}

extension WrappedStore {
    func get(_ key: String) async throws(MetadataError) -> Entry? { try await inner.get(key) }

    func range(prefix: String) async throws(MetadataError) -> Snapshot {
        try await inner.range(prefix: prefix)
    }

    func watch(prefix: String, after revision: Revision) -> Watch {
        inner.watch(prefix: prefix, after: revision)
    }

    func grantLease(ttl: Duration) async throws(MetadataError) -> Lease {
        try await inner.grantLease(ttl: ttl)
    }

    func keepAlive(_ lease: LeaseID) async throws(MetadataError) -> Lease {
        try await inner.keepAlive(lease)
    }

    func revoke(_ lease: LeaseID) async throws(MetadataError) { try await inner.revoke(lease) }

    func standing() async -> StoreStanding { await inner.standing() }

    func close() async { await inner.close() }
}
