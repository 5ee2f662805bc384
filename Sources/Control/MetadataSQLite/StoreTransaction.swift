import Foundation
import GRDB
import Metadata

/// One write transaction on the database: everything in it is committed together or not at all.
struct StoreTransaction: TransactionTarget {
    let view: StoreView
    let time: LeaseTime
    private var header: StoreHeader
    private let headerBefore: StoreHeader
    /// The leases that exist were added to, renewed or removed.
    private(set) var leasesChanged = false

    /// Inside an open IMMEDIATE transaction.
    init(_ view: StoreView, at time: LeaseTime) throws(MetadataError) {
        self.view = view
        self.time = time
        header = try view.header()
        headerBefore = header
    }

    /// Whether there is anything to commit.
    var hasChanges: Bool { leasesChanged || header != headerBefore }

    /// Trims the history and writes the header. To be called last.
    mutating func finish(history limits: HistoryLimits) throws(MetadataError) {
        guard header != headerBefore else { return }
        try view.trimHistory(&header, to: limits)
        try view.context.run {
            try view.db.cachedStatement(sql: """
                UPDATE store SET revision = ?, compacted = ?, changeCount = ?, changeBytes = ?
                """
            ).execute(arguments: [
                header.revision.rawValue, header.compacted.rawValue,
                header.changeCount, header.changeBytes,
            ])
        }
    }

    var revision: Revision {
        get { header.revision }
        set { header.revision = newValue }
    }

    func entry(at key: String) throws(MetadataError) -> Entry? { try view.entry(at: key) }

    func entries(prefix: String) throws(MetadataError) -> [Entry] {
        try view.entries(prefix: prefix)
    }

    func entries(lease: LeaseID) throws(MetadataError) -> [Entry] {
        try view.entries(lease: lease)
    }

    mutating func put(_ entry: Entry) throws(MetadataError) {
        try view.context.run {
            let value = Data(entry.value)
            try view.db.cachedStatement(sql: """
                INSERT INTO entries (\(Entry.columns)) VALUES (?, ?, ?, ?, ?, ?)
                ON CONFLICT (key) DO UPDATE SET value = excluded.value,
                    createRevision = excluded.createRevision, modRevision = excluded.modRevision,
                    version = excluded.version, lease = excluded.lease
                """
            ).execute(arguments: entry.arguments(value: value))
            try view.db.cachedStatement(
                sql: "INSERT INTO changes (\(Entry.columns)) VALUES (?, ?, ?, ?, ?, ?)"
            ).execute(arguments: entry.arguments(value: value))
        }
        count(.put(entry))
    }

    mutating func remove(_ entry: Entry, at revision: Revision) throws(MetadataError) {
        try view.context.run {
            let key = Data(entry.key.utf8)
            try view.db.cachedStatement(sql: "DELETE FROM entries WHERE key = ?")
                .execute(arguments: [key])
            try view.db.cachedStatement(sql: "INSERT INTO changes (key, modRevision) VALUES (?, ?)")
                .execute(arguments: [key, revision.rawValue])
        }
        count(.delete(key: entry.key, revision: revision))
    }

    private mutating func count(_ change: Change) {
        header.changeCount += 1
        header.changeBytes += change.byteCount
    }

    func hasLease(_ lease: LeaseID) throws(MetadataError) -> Bool { try view.hasLease(lease) }

    func expiredLeases() throws(MetadataError) -> [LeaseID] { try view.expiredLeases(at: time) }

    mutating func removeLease(_ lease: LeaseID) throws(MetadataError) {
        try view.removeLease(lease)
        leasesChanged = true
    }

    mutating func addLease(_ lease: Lease) throws(MetadataError) {
        try view.addLease(lease, at: time)
        leasesChanged = true
    }

    mutating func renewLease(_ lease: LeaseID) throws(MetadataError) -> Lease? {
        leasesChanged = true
        return try view.renewLease(lease, at: time)
    }
}

extension Entry {
    /// In the order of `columns`.
    fileprivate func arguments(value: Data) -> StatementArguments {
        [
            Data(key.utf8), value, createRevision.rawValue, modRevision.rawValue, version,
            lease?.rawValue,
        ]
    }
}
