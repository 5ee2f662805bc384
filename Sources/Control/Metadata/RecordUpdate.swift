/// How often, and with what pauses, `update` tries to change a record that others change as well.
public struct UpdateRetries: Equatable, Sendable {
    public var attemptsMax: Int
    /// Before attempt n the pause is random, up to 2ⁿ of these.
    public var pause: Duration
    public var pauseMax: Duration

    /// With 32 attempts and pauses up to 100 ms an update gives up after 1.5 s on average.
    public init(
        attemptsMax: Int = 32, pause: Duration = .milliseconds(1),
        pauseMax: Duration = .milliseconds(100)
    ) {
        self.attemptsMax = attemptsMax
        self.pause = pause
        self.pauseMax = pauseMax
    }

    func pause(before attempt: Int) -> Duration {
        guard attempt > 0 else { return .zero }
        return min(pause * (1 << min(attempt, 16)), pauseMax) * Double.random(in: 0..<1)
    }
}

extension MetadataStore {
    /// Changes one record by compare-and-swap: reads it (nil when absent), asks `change` for what
    /// it should be, writes that if nobody else wrote in between, and otherwise begins again.
    ///
    /// `change` returns nil to leave everything as it is; its errors end the update. It may be
    /// asked several times. When a reply was lost it may be asked about a record in which its own
    /// change already stands: it must then recognise it (a wanted state that is already so, a
    /// nonce) and return nil, or the change takes effect twice. The record keeps its lease.
    ///
    /// Returns the record as it now is. Gives up with `.contended`, or with the last error of
    /// unknown outcome, after `retries.attemptsMax` attempts.
    @discardableResult
    public func update<Record: Codable & Sendable>(
        _ key: String, as type: Record.Type = Record.self,
        retries: UpdateRetries = UpdateRetries(),
        _ change: (Record?) throws -> Record?
    ) async throws -> Stored<Record>? {
        var unanswered: MetadataError?
        for attempt in 0..<retries.attemptsMax {
            try await Task.sleep(for: retries.pause(before: attempt))
            let current: Stored<Record>? = try await record(key)
            guard let wanted = try change(current?.record) else { return current }
            do throws(MetadataError) {
                if let entry = try await replace(current?.entry, at: key, with: wanted) {
                    return Stored(record: wanted, entry: entry)
                }
                unanswered = nil
            } catch {
                guard error.outcome == .unknown else { throw error }
                unanswered = error
            }
        }
        throw unanswered
            ?? MetadataError(
                .contended, operation: "update", object: key,
                cause: "others changed it during each of \(retries.attemptsMax) attempts",
                remedy: "try again")
    }

    /// The new entry, or nil when the key is not as `current` says.
    private func replace<Record: Encodable>(
        _ current: Entry?, at key: String, with record: Record
    ) async throws(MetadataError) -> Entry? {
        let value = try RecordCoding.encode(record, for: key)
        let result = try await transaction(Transaction(
            if: [.unchanged(key, since: current)],
            then: [.put(key, value, lease: current?.lease)]))
        guard result.succeeded else { return nil }
        return Entry(
            key: key, value: value, createRevision: current?.createRevision ?? result.revision,
            modRevision: result.revision, version: (current?.version ?? 0) + 1,
            lease: current?.lease)
    }
}
