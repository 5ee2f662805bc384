import GRDB
import Metadata

/// The tables of a store. Keys and values are BLOBs, so that SQLite compares keys as bytes.
enum Schema {
    /// Stands in the file's header and tells a store from anybody else's database: "cioM".
    static let applicationID: Int64 = 0x6369_6F4D

    /// Every version that ever was. Never change one that was released: add another. A store with
    /// an unknown one was written by a newer program and is refused.
    static var migrator: DatabaseMigrator {
        var migrator = DatabaseMigrator()
        migrator.registerMigration("metadata-1") { db in
            try db.execute(sql: """
                PRAGMA application_id = \(applicationID);

                -- One row. `compacted`: changes up to this revision were trimmed. `changeCount` and
                -- `changeBytes` describe the table of changes, so that trimming need not count.
                CREATE TABLE store (
                    id INTEGER PRIMARY KEY CHECK (id = 1),
                    revision INTEGER NOT NULL,
                    compacted INTEGER NOT NULL,
                    changeCount INTEGER NOT NULL,
                    changeBytes INTEGER NOT NULL
                ) STRICT;
                INSERT INTO store VALUES (1, \(Revision.initial), \(Revision.zero), 0, 0);

                CREATE TABLE entries (
                    key BLOB NOT NULL UNIQUE,
                    value BLOB NOT NULL,
                    createRevision INTEGER NOT NULL,
                    modRevision INTEGER NOT NULL,
                    version INTEGER NOT NULL,
                    lease INTEGER
                ) STRICT;
                CREATE INDEX entriesByLease ON entries (lease) WHERE lease IS NOT NULL;

                -- What was put, or, without a value, deleted; in the order of `sequence`.
                CREATE TABLE changes (
                    sequence INTEGER PRIMARY KEY,
                    key BLOB NOT NULL,
                    value BLOB,
                    createRevision INTEGER,
                    modRevision INTEGER NOT NULL,
                    version INTEGER,
                    lease INTEGER
                ) STRICT;
                CREATE INDEX changesByRevision ON changes (modRevision);

                -- Times are nanoseconds; the deadline is CLOCK_BOOTTIME in the boot that is named.
                CREATE TABLE leases (
                    id INTEGER PRIMARY KEY,
                    ttl INTEGER NOT NULL,
                    deadline INTEGER NOT NULL,
                    boot TEXT NOT NULL
                ) STRICT;
                """)
        }
        return migrator
    }
}
