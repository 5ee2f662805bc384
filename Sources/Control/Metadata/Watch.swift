/// One key's change.
public enum Change: Equatable, Sendable {
    case put(Entry)
    case delete(key: String, revision: Revision)

    public var key: String {
        switch self {
        case .put(let entry): entry.key
        case .delete(let key, _): key
        }
    }

    public var revision: Revision {
        switch self {
        case .put(let entry): entry.modRevision
        case .delete(_, let revision): revision
        }
    }
}

/// The next changes of a watch, in the order in which they were made. The changes of one revision
/// are never divided between batches.
public struct ChangeBatch: Equatable, Sendable {
    public let changes: [Change]
    /// The watch has now given everything up to here: another one after it would continue this.
    public let revision: Revision

    public init(changes: [Change], revision: Revision) {
        self.changes = changes
        self.revision = revision
    }
}

/// The changes under a prefix, as a sequence of batches. Each iterator starts at the beginning.
public struct Watch: AsyncSequence, Sendable {
    public typealias Element = ChangeBatch
    public typealias Failure = MetadataError

    /// Waits until there are changes after the given revision. Nil means that the store was closed
    /// or the task cancelled.
    public typealias Fetch = @Sendable (Revision) async throws(MetadataError) -> ChangeBatch?

    private let start: Revision
    private let makeFetch: @Sendable () -> Fetch

    /// `makeFetch` is called once for each iterator.
    public init(after revision: Revision, makeFetch: @escaping @Sendable () -> Fetch) {
        start = revision
        self.makeFetch = makeFetch
    }

    public func makeAsyncIterator() -> Iterator { Iterator(cursor: start, fetch: makeFetch()) }

    public struct Iterator: AsyncIteratorProtocol {
        private var cursor: Revision
        /// Nil at the end.
        private var fetch: Fetch?

        fileprivate init(cursor: Revision, fetch: @escaping Fetch) {
            self.cursor = cursor
            self.fetch = fetch
        }

        public mutating func next() async throws(MetadataError) -> ChangeBatch? {
            try await next(isolation: nil)
        }

        public mutating func next(
            isolation actor: isolated (any Actor)?
        ) async throws(MetadataError) -> ChangeBatch? {
            guard let fetch else { return nil }
            do throws(MetadataError) {
                guard let batch = try await fetch(cursor) else {
                    self.fetch = nil
                    return nil
                }
                cursor = batch.revision
                return batch
            } catch {
                self.fetch = nil
                // Closed in the midst of a look: the end, as it is between two.
                if error.kind == .closed { return nil }
                throw error
            }
        }
    }
}
