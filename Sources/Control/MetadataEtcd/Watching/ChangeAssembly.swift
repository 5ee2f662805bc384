import Metadata

/// Makes batches of a watch's messages: each change once, in order, the changes of one revision
/// together, however the messages are cut and wherever the watch begins again.
struct ChangeAssembly: Sendable {
    /// Changes that came and are not in a batch yet, of revisions above `received`'s predecessor.
    private var pending: [Change] = []
    /// How many of `pending` belong to revisions that are complete.
    private var complete = 0
    /// All changes up to here have come.
    private(set) var received: Revision
    private let changesMax: Int
    private let bytesMax: Int

    init(
        after revision: Revision, changesMax: Int = HistoryPage.changesMax,
        bytesMax: Int = HistoryPage.bytesMax
    ) {
        received = revision
        self.changesMax = changesMax
        self.bytesMax = bytesMax
    }

    /// - Parameter isFragment: the last revision may go on in the next message.
    mutating func take(_ changes: [Change], isFragment: Bool) {
        // What was there already comes again when the watch begins again.
        pending += changes.filter { $0.revision > received }
        guard let last = pending.last?.revision else { return }
        complete = isFragment
            ? pending.lastIndex { $0.revision < last }.map { $0 + 1 } ?? 0 : pending.count
        if complete > 0 { received = max(received, pending[complete - 1].revision) }
    }

    /// To be called when the messages end: a revision that was cut is to come again, whole.
    mutating func interrupt() { pending.removeSubrange(complete...) }

    /// The next complete revisions, closed at the end of the one that reaches either bound. They
    /// stay here until they are dropped: whoever hands them on may be stopped before it is done.
    var nextBatch: ChangeBatch? {
        guard complete > 0 else { return nil }
        var bytes = 0
        var end = complete
        for index in 0..<complete {
            if index > 0, pending[index].revision != pending[index - 1].revision,
                index >= changesMax || bytes >= bytesMax
            {
                end = index
                break
            }
            bytes += pending[index].byteCount
        }
        return ChangeBatch(
            changes: Array(pending[..<end]), revision: pending[end - 1].revision)
    }

    /// Takes the next batch out.
    mutating func drop(_ batch: ChangeBatch) {
        pending.removeSubrange(..<batch.changes.count)
        complete -= batch.changes.count
    }
}
