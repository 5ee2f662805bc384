import Foundation
import GRDB
import Metadata

extension SQLiteConnections {
    /// Opens or creates the store's file. Blocks. Tries again while other processes are in the way,
    /// which SQLite does not wait for when the journal mode changes or a log is recovered.
    static func open(
        path: String, options: SQLiteOptions, boot: BootID?
    ) throws(MetadataError) -> SQLiteConnections {
        let context = OperationContext(operation: "open", object: path, path: path)
        guard let boot = boot ?? .current else {
            throw context.make(
                .unexpected, "/proc/sys/kernel/random/boot_id cannot be read", "mount /proc")
        }
        let deadline = BootClock.now + options.busyTimeout.wholeNanoseconds
        while true {
            do throws(MetadataError) {
                return try openOnce(context, options, boot, deadline)
            } catch {
                guard error.kind == .busy, BootClock.now < deadline else { throw error }
                usleep(.random(in: 5_000...20_000))
            }
        }
    }

    private static func openOnce(
        _ context: OperationContext, _ options: SQLiteOptions, _ boot: BootID, _ deadline: Int64
    ) throws(MetadataError) -> SQLiteConnections {
        try createStoreFile(context)
        guard let identity = FileIdentity(path: context.path) else {
            throw context.make(.replaced, "\(context.path) was deleted as it was created", nil)
        }
        let writeDeadline = WriteDeadline()
        writeDeadline.set(deadline)
        let writer = try context.run {
            var configuration = Configuration()
            configuration.label = "metadata.writer"
            configuration.foreignKeysEnabled = false
            configuration.busyMode = .callback { writeDeadline.wait(tries: $0) }
            return try DatabaseQueue(path: context.path, configuration: configuration)
        }
        try prepare(writer, context)
        let reader = try context.run {
            var configuration = Configuration()
            configuration.label = "metadata.reader"
            configuration.foreignKeysEnabled = false
            configuration.busyMode = .timeout(Double(options.busyTimeout.wholeNanoseconds) / 1e9)
            configuration.prepareDatabase { try $0.execute(sql: "PRAGMA query_only = ON") }
            return try DatabaseQueue(path: context.path, configuration: configuration)
        }
        try FileIdentity.checkUnchanged(identity, context)
        return SQLiteConnections(
            path: context.path, options: options, boot: boot, writer: writer, reader: reader,
            writeDeadline: writeDeadline, identity: identity)
    }

    private static func prepare(
        _ writer: DatabaseQueue, _ context: OperationContext
    ) throws(MetadataError) {
        let migrator = Schema.migrator
        try refuseForeign(writer, migrator, context)
        try context.run {
            try writer.inDatabase { db in
                try useDurableLog(db)
            }
        }
        try migrate(writer, migrator, context)
        let defect = try context.run {
            try writer.inDatabase { try String.fetchOne($0, sql: "PRAGMA quick_check(1)") }
        }
        guard defect == "ok" else {
            throw context.error(DatabaseError(resultCode: .SQLITE_CORRUPT, message: defect))
        }
    }

    /// Before anything is written to it.
    private static func refuseForeign(
        _ writer: DatabaseQueue, _ migrator: DatabaseMigrator, _ context: OperationContext
    ) throws(MetadataError) {
        let (isOurs, isSuperseded) = try context.run {
            try writer.inDatabase { db in
                let id = try Int64.fetchOne(db, sql: "PRAGMA application_id")
                // A process that died while it made the store has left an empty one.
                let tables = try Int.fetchOne(db, sql: """
                    SELECT count(*) FROM sqlite_schema WHERE name NOT LIKE 'sqlite_%'
                    AND name <> 'grdb_migrations'
                    """)
                let isNew = id == 0 && tables == 0
                let isOurs = isNew || id == Schema.applicationID
                return (isOurs, try isOurs && migrator.hasBeenSuperseded(db))
            }
        }
        guard isOurs else {
            throw context.make(
                .foreign, "\(context.path) is a database of another program",
                "name another file for the metadata store")
        }
        guard !isSuperseded else {
            throw context.make(
                .tooNew, "\(context.path) was written by a newer version of cio",
                "install that version, or restore a copy of the file from before it")
        }
    }

    /// A commit is durable when it returns: epochs must never go back. GRDB's own WAL mode would
    /// set `synchronous = NORMAL`.
    private static func useDurableLog(_ db: Database) throws {
        if try String.fetchOne(db, sql: "PRAGMA journal_mode") != "wal" {
            let mode = try String.fetchOne(db, sql: "PRAGMA journal_mode = WAL")
            guard mode == "wal" else {
                throw DatabaseError(
                    resultCode: .SQLITE_CANTOPEN,
                    message: "the filesystem does not support SQLite's WAL mode")
            }
        }
        try db.execute(sql: "PRAGMA synchronous = FULL")
        // After a burst the log shrinks again to this size at the next checkpoint.
        try db.execute(sql: "PRAGMA journal_size_limit = \(16 << 20)")
        let full = 2
        guard try Int.fetchOne(db, sql: "PRAGMA synchronous") == full else {
            throw DatabaseError(message: "PRAGMA synchronous = FULL has no effect")
        }
    }

    /// Several processes may come to the same new store at once: whoever finds that a migration
    /// failed because another process had just done it goes on.
    private static func migrate(
        _ writer: DatabaseQueue, _ migrator: DatabaseMigrator, _ context: OperationContext
    ) throws(MetadataError) {
        try context.run {
            while true {
                let completed = try writer.inDatabase { try migrator.completedMigrations($0) }
                if completed == migrator.migrations { return }
                do {
                    try migrator.migrate(writer)
                } catch {
                    let now = try writer.inDatabase { try migrator.completedMigrations($0).count }
                    guard now > completed.count else { throw error }
                }
            }
        }
    }
}
