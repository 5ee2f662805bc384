import Foundation
import GRDB
import Metadata
import Synchronization

/// A store's two connections: one writes, one reads meanwhile.
///
/// No transaction outlives the closure that is given to `write` or `read`, and none of them waits
/// for anything but the disk: a process that is stopped inside a write transaction blocks all
/// others on the machine, so there must hardly be an inside.
final class SQLiteConnections: Sendable {
    let path: String
    let options: SQLiteOptions
    let boot: BootID
    private let writer: DatabaseQueue
    private let reader: DatabaseQueue
    private let writeDeadline: WriteDeadline
    private let identity: FileIdentity
    private let isClosed = Atomic(false)

    init(
        path: String, options: SQLiteOptions, boot: BootID, writer: DatabaseQueue,
        reader: DatabaseQueue, writeDeadline: WriteDeadline, identity: FileIdentity
    ) {
        self.path = path
        self.options = options
        self.boot = boot
        self.writer = writer
        self.reader = reader
        self.writeDeadline = writeDeadline
        self.identity = identity
    }

    /// The file whose attributes are touched after each commit: that wakes the other processes. Its
    /// contents change too early for that, before the commit can be seen.
    var bellPath: String { path + "-wal" }

    var leaseTime: LeaseTime { LeaseTime(now: BootClock.now, boot: boot) }

    func context(_ operation: String, on object: String) -> OperationContext {
        OperationContext(operation: operation, object: object, path: path)
    }

    func write<Value: Sendable>(
        _ context: OperationContext,
        _ body: @escaping @Sendable (inout StoreTransaction) throws(MetadataError) -> Value
    ) async throws(MetadataError) -> Value {
        let deadline = BootClock.now + options.busyTimeout.wholeNanoseconds
        let result = await withCheckedContinuation { continuation in
            writer.asyncWriteWithoutTransaction { [self] db in
                continuation.resume(returning: Result { () throws(MetadataError) in
                    try commit(db, context, deadline, body)
                })
            }
        }
        return try result.get()
    }

    /// The same for threads that may wait, with a patience of their own.
    func writeBlocking(
        _ context: OperationContext, patience: Duration,
        _ body: (inout StoreTransaction) throws(MetadataError) -> Void
    ) throws(MetadataError) {
        let deadline = BootClock.now + patience.wholeNanoseconds
        let result = writer.writeWithoutTransaction { db in
            Result { () throws(MetadataError) in try commit(db, context, deadline, body) }
        }
        try result.get()
    }

    func read<Value: Sendable>(
        _ context: OperationContext,
        _ body: @escaping @Sendable (StoreView) throws(MetadataError) -> Value
    ) async throws(MetadataError) -> Value {
        let result = await withCheckedContinuation { continuation in
            reader.asyncUnsafeRead { [self] access in
                continuation.resume(returning: Result { () throws(MetadataError) in
                    let db = try context.run { try access.get() }
                    return try look(db, context, body)
                })
            }
        }
        return try result.get()
    }

    func readBlocking<Value>(
        _ context: OperationContext, _ body: (StoreView) throws(MetadataError) -> Value
    ) throws(MetadataError) -> Value {
        let result = reader.unsafeRead { db in
            Result { () throws(MetadataError) in try look(db, context, body) }
        }
        return try result.get()
    }

    /// Waits for what is under way; what comes later fails. Blocks.
    func close() {
        isClosed.store(true, ordering: .releasing)
        // Closing fails only for statements in use, and no closure is running any more.
        try? reader.close()
        try? writer.close()
    }
}

extension SQLiteConnections {
    private func look<Value>(
        _ db: Database, _ context: OperationContext,
        _ body: (StoreView) throws(MetadataError) -> Value
    ) throws(MetadataError) -> Value {
        try checkOpen(context)
        try FileIdentity.checkUnchanged(identity, context)
        try context.run { try db.beginTransaction(.deferred) }
        // Nothing was written: how a read transaction ends has no consequence.
        defer { try? db.rollback() }
        return try body(StoreView(db: db, context: context))
    }

    private func commit<Value>(
        _ db: Database, _ context: OperationContext, _ deadline: Int64,
        _ body: (inout StoreTransaction) throws(MetadataError) -> Value
    ) throws(MetadataError) -> Value {
        try checkOpen(context)
        writeDeadline.set(deadline)
        try context.run { try db.beginTransaction(.immediate) }
        let value: Value
        let hasChanges: Bool
        do throws(MetadataError) {
            try FileIdentity.checkUnchanged(identity, context)
            let view = StoreView(db: db, context: context)
            var transaction = try StoreTransaction(view, at: leaseTime)
            _ = try transaction.revokeExpired()
            value = try body(&transaction)
            try transaction.finish(history: options.history)
            hasChanges = transaction.hasChanges
        } catch {
            try? db.rollback()
            throw error
        }
        do {
            try db.commit()
        } catch {
            try? db.rollback()
            // After a failed fsync the commit may yet be found in the log by whoever recovers it. A
            // full disk has no room for its last frame: that one is certain.
            let isFull = (error as? DatabaseError)?.resultCode == .SQLITE_FULL
            throw context.error(error, outcome: isFull ? .notDone : .unknown)
        }
        if hasChanges { ringBell() }
        return value
    }

    private func checkOpen(_ context: OperationContext) throws(MetadataError) {
        if isClosed.load(ordering: .acquiring) {
            throw .closed(context.operation, on: context.object)
        }
    }

    /// Wakes every process that watches, this one included. When it fails they find out by looking.
    private func ringBell() { utimensat(AT_FDCWD, bellPath, nil, 0) }
}
