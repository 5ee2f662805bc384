/// A piece of a store's history.
public struct HistoryPage: Sendable {
    /// In order; the changes of one revision are all here or all missing.
    public let changes: [Change]
    /// All changes up to here are included.
    public let through: Revision

    public init(changes: [Change], through: Revision) {
        self.changes = changes
        self.through = through
    }

    /// A page is closed at the end of the revision in which it reaches either bound.
    public static let changesMax = 1_000
    public static let bytesMax = 4 << 20
}

extension Watch {
    /// A watch on a store that keeps its own history: reads a page, waits for the signal when there
    /// is nothing in it, reads again.
    ///
    /// No change falls between reading and waiting: the signal knows the newest revision, and does
    /// not wait when the page read is older.
    public init(
        prefix: String, after revision: Revision, woken signal: RevisionSignal,
        page: @escaping @Sendable (Revision) async throws(MetadataError) -> HistoryPage
    ) {
        let fetch: Fetch = { start throws(MetadataError) in
            var cursor = start
            while !Task.isCancelled, !signal.isClosed {
                let next = try await page(cursor)
                guard next.changes.isEmpty else {
                    return ChangeBatch(changes: next.changes, revision: next.through)
                }
                cursor = next.through
                await signal.wait(past: cursor)
            }
            return nil
        }
        self.init(after: revision) { fetch }
    }
}
