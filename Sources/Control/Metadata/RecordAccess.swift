extension MetadataStore {
    /// The record at `key`, or nil.
    public func record<Record: Decodable & Sendable>(
        _ key: String, as type: Record.Type = Record.self
    ) async throws(MetadataError) -> Stored<Record>? {
        guard let entry = try await get(key) else { return nil }
        return try Stored(decoding: entry)
    }

    /// All records under `prefix` and the revision at which they were read. One that is not a
    /// `Record` fails the whole.
    public func records<Record: Decodable & Sendable>(
        prefix: String, as type: Record.Type = Record.self
    ) async throws(MetadataError) -> (records: [Stored<Record>], revision: Revision) {
        let snapshot = try await range(prefix: prefix)
        var records: [Stored<Record>] = []
        for entry in snapshot.entries { records.append(try Stored(decoding: entry)) }
        return (records, snapshot.revision)
    }

    /// Writes a value whatever was there. Returns the revision in which it was written.
    @discardableResult
    public func put(
        _ key: String, _ value: [UInt8], lease: LeaseID? = nil
    ) async throws(MetadataError) -> Revision {
        try await transaction(Transaction(then: [.put(key, value, lease: lease)])).revision
    }

    /// Writes a record whatever was there. Returns the revision in which it was written.
    @discardableResult
    public func put<Record: Encodable & Sendable>(
        _ key: String, record: Record, lease: LeaseID? = nil
    ) async throws(MetadataError) -> Revision {
        try await put(key, RecordCoding.encode(record, for: key), lease: lease)
    }

    /// Writes a record if the key is absent. False if it is not.
    public func create<Record: Encodable & Sendable>(
        _ key: String, record: Record, lease: LeaseID? = nil
    ) async throws(MetadataError) -> Bool {
        let put = try Transaction.Operation.put(key, record: record, lease: lease)
        return try await transaction(Transaction(if: [.absent(key)], then: [put])).succeeded
    }

    /// Deletes a key. False if it was not there.
    @discardableResult
    public func delete(_ key: String) async throws(MetadataError) -> Bool {
        let result = try await transaction(Transaction(then: [.delete(key)]))
        return result.responses == [.deleted(1)]
    }

    /// Deletes an entry if nobody changed it since it was read. False if somebody did.
    public func delete(ifUnchanged entry: Entry) async throws(MetadataError) -> Bool {
        try await transaction(Transaction(
            if: [.unchanged(entry.key, since: entry)], then: [.delete(entry.key)])).succeeded
    }
}
