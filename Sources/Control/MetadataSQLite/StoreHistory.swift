import Foundation
import GRDB
import Metadata

extension StoreView {
    /// The next changes under `prefix` after `start`.
    func page(prefix: String, after start: Revision) throws(MetadataError) -> HistoryPage {
        let header = try header()
        guard start >= header.compacted else {
            throw .compacted(prefix: prefix, after: start, oldest: header.compacted)
        }
        guard start <= header.revision else {
            throw .wentBack(prefix: prefix, after: start, now: header.revision)
        }
        guard start < header.revision else { return HistoryPage(changes: [], through: start) }
        return try context.run {
            var page: [Change] = []
            var bytes = 0
            let rows = try changeRows(prefix: prefix, after: start)
            while let row = try rows.next() {
                let change = Change(row: row)
                if let last = page.last?.revision, last != change.revision,
                    page.count >= HistoryPage.changesMax || bytes >= HistoryPage.bytesMax
                {
                    return HistoryPage(changes: page, through: last)
                }
                page.append(change)
                bytes += change.byteCount
            }
            return HistoryPage(changes: page, through: header.revision)
        }
    }

    private func changeRows(prefix: String, after start: Revision) throws -> RowCursor {
        // Changes are appended in the order of their revisions: after the last one of an earlier
        // revision come exactly those that are wanted.
        let seen = try Int64.fetchOne(
            db.cachedStatement(sql: """
                SELECT sequence FROM changes WHERE modRevision <= ?
                ORDER BY modRevision DESC, sequence DESC LIMIT 1
                """),
            arguments: [start.rawValue])
        let bounds = PrefixBounds(prefix)
        let statement = try db.cachedStatement(sql: """
            SELECT \(Entry.columns) FROM changes
            WHERE sequence > ? AND key >= ? AND key < ? ORDER BY sequence
            """)
        return try Row.fetchCursor(statement, arguments: [seen ?? 0, bounds.start, bounds.end])
    }

    /// Deletes the oldest revisions until what is left is within the limits. Each transaction trims
    /// about as much as it added, so that none becomes long.
    func trimHistory(
        _ header: inout StoreHeader, to limits: HistoryLimits
    ) throws(MetadataError) {
        try context.run {
            guard header.changeCount > limits.changesMax || header.changeBytes > limits.bytesMax,
                let cut = try trimmingPoint(header, limits)
            else { return }
            let trimmed = try Row.fetchOne(
                db.cachedStatement(sql: """
                    SELECT count(*), ifnull(sum(length(key) + ifnull(length(value), 0)), 0)
                    FROM changes WHERE modRevision <= ?
                    """),
                arguments: [cut.rawValue])
            try db.cachedStatement(sql: "DELETE FROM changes WHERE modRevision <= ?")
                .execute(arguments: [cut.rawValue])
            header.changeCount -= trimmed?[0] ?? 0
            header.changeBytes -= trimmed?[1] ?? 0
            header.compacted = cut
        }
    }

    /// The newest revision that has to go.
    private func trimmingPoint(
        _ header: StoreHeader, _ limits: HistoryLimits
    ) throws -> Revision? {
        var count = header.changeCount
        var bytes = header.changeBytes
        var cut: Revision?
        let rows = try Row.fetchCursor(db.cachedStatement(sql: """
            SELECT modRevision, length(key) + ifnull(length(value), 0)
            FROM changes ORDER BY sequence
            """))
        while count > limits.changesMax || bytes > limits.bytesMax, let row = try rows.next() {
            cut = Revision(rawValue: row[0])
            count -= 1
            bytes -= row[1] as Int
        }
        return cut
    }
}

extension Change {
    /// From the columns of an entry.
    init(row: Row) {
        if row.hasNull(atIndex: 1) {
            self = .delete(
                key: String(decoding: row[0] as Data, as: UTF8.self),
                revision: Revision(rawValue: row[3]))
        } else {
            self = .put(Entry(row: row))
        }
    }
}
