/// The last changes of a memory store, bounded.
struct MemoryHistory: Sendable {
    private var changes: [Change] = []
    /// The first change that still counts; those before it wait to be released together.
    private var first = 0
    private var bytes = 0
    private let limits: HistoryLimits
    /// Changes up to here have been trimmed.
    private(set) var compacted = Revision.zero

    init(limits: HistoryLimits) { self.limits = limits }

    mutating func append(_ change: Change) {
        changes.append(change)
        bytes += change.byteCount
    }

    /// To be called between transactions, so that revisions are trimmed whole.
    mutating func trim() {
        while changes.count - first > limits.changesMax || bytes > limits.bytesMax,
            first < changes.count
        {
            compacted = changes[first].revision
            while first < changes.count, changes[first].revision == compacted {
                bytes -= changes[first].byteCount
                first += 1
            }
        }
        if first > changes.count / 2 {
            changes.removeFirst(first)
            first = 0
        }
    }

    /// The next changes under `prefix` after `start`, up to `end`, the store's revision.
    func page(
        prefix: String, after start: Revision, through end: Revision
    ) throws(MetadataError) -> HistoryPage {
        guard start >= compacted else {
            throw .compacted(prefix: prefix, after: start, oldest: compacted)
        }
        guard start <= end else { throw .wentBack(prefix: prefix, after: start, now: end) }
        let prefix = KeyBytes(prefix)
        var page: [Change] = []
        var pageBytes = 0
        for change in changes[firstIndex(after: start)...] {
            if let last = page.last?.revision, last != change.revision,
                page.count >= HistoryPage.changesMax || pageBytes >= HistoryPage.bytesMax
            {
                return HistoryPage(changes: page, through: last)
            }
            guard KeyBytes(change.key).hasPrefix(prefix) else { continue }
            page.append(change)
            pageBytes += change.byteCount
        }
        return HistoryPage(changes: page, through: end)
    }

    private func firstIndex(after revision: Revision) -> Int {
        var low = first
        var high = changes.count
        while low < high {
            let middle = low + (high - low) / 2
            if changes[middle].revision <= revision { low = middle + 1 } else { high = middle }
        }
        return low
    }
}

extension Change {
    /// What counts towards the limits of a history.
    public var byteCount: Int {
        switch self {
        case .put(let entry): entry.key.utf8.count + entry.value.count
        case .delete(let key, _): key.utf8.count
        }
    }
}
