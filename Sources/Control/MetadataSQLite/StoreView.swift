import Foundation
import GRDB
import Metadata

/// Reads a store inside a transaction of the database, that is at one moment.
struct StoreView {
    let db: Database
    let context: OperationContext

    func header() throws(MetadataError) -> StoreHeader {
        try context.run {
            let statement = try db.cachedStatement(
                sql: "SELECT revision, compacted, changeCount, changeBytes FROM store")
            guard let row = try Row.fetchOne(statement) else {
                throw DatabaseError(resultCode: .SQLITE_CORRUPT, message: "table store is empty")
            }
            return StoreHeader(
                revision: Revision(rawValue: row[0]), compacted: Revision(rawValue: row[1]),
                changeCount: row[2], changeBytes: row[3])
        }
    }

    func entry(at key: String) throws(MetadataError) -> Entry? {
        try context.run {
            let statement = try db.cachedStatement(
                sql: "SELECT \(Entry.columns) FROM entries WHERE key = ?")
            return try Row.fetchOne(statement, arguments: [Data(key.utf8)]).map(Entry.init(row:))
        }
    }

    func entries(prefix: String) throws(MetadataError) -> [Entry] {
        try context.run {
            let bounds = PrefixBounds(prefix)
            let statement = try db.cachedStatement(sql: """
                SELECT \(Entry.columns) FROM entries WHERE key >= ? AND key < ? ORDER BY key
                """)
            let rows = try Row.fetchCursor(statement, arguments: [bounds.start, bounds.end])
            return try Array(rows.map(Entry.init(row:)))
        }
    }

    func entries(lease: LeaseID) throws(MetadataError) -> [Entry] {
        try context.run {
            let statement = try db.cachedStatement(
                sql: "SELECT \(Entry.columns) FROM entries WHERE lease = ? ORDER BY key")
            let rows = try Row.fetchCursor(statement, arguments: [lease.rawValue])
            return try Array(rows.map(Entry.init(row:)))
        }
    }
}

/// The keys that begin with a prefix: from `start` on, below `end`.
struct PrefixBounds {
    let start: Data
    let end: Data

    init(_ prefix: String) {
        let key = KeyBytes(prefix)
        start = Data(key.bytes)
        // The byte 0xFF occurs in no UTF-8 and is above every key.
        end = Data(key.endOfPrefix?.bytes ?? [0xFF])
    }
}

extension Entry {
    /// As `init(row:)` expects them.
    static let columns = "key, value, createRevision, modRevision, version, lease"

    init(row: Row) {
        self.init(
            key: String(decoding: row[0] as Data, as: UTF8.self),
            value: Array(row[1] as Data),
            createRevision: Revision(rawValue: row[2]),
            modRevision: Revision(rawValue: row[3]),
            version: row[4],
            lease: (row[5] as Int64?).map(LeaseID.init(rawValue:)))
    }
}
