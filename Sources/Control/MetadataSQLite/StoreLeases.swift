import GRDB
import Metadata

/// The time at which leases are judged: one for a whole transaction.
struct LeaseTime: Sendable {
    /// CLOCK_BOOTTIME, nanoseconds.
    let now: Int64
    let boot: BootID
}

extension StoreView {
    /// When the next lease runs out, in nanoseconds of CLOCK_BOOTTIME; 0 for a lease of an earlier
    /// boot; nil when there is no lease.
    func earliestDeadline(boot: BootID) throws(MetadataError) -> Int64? {
        try context.run {
            let statement = try db.cachedStatement(
                sql: "SELECT min(CASE boot WHEN ? THEN deadline ELSE 0 END) FROM leases")
            return try Optional<Int64>.fetchOne(statement, arguments: [boot.text]) ?? nil
        }
    }

    func hasLease(_ lease: LeaseID) throws(MetadataError) -> Bool {
        try context.run {
            let statement = try db.cachedStatement(sql: "SELECT 1 FROM leases WHERE id = ?")
            return try Bool.fetchOne(statement, arguments: [lease.rawValue]) ?? false
        }
    }

    /// Those that ran out first come first.
    func expiredLeases(at time: LeaseTime) throws(MetadataError) -> [LeaseID] {
        try context.run {
            let statement = try db.cachedStatement(sql: """
                SELECT id FROM leases WHERE boot <> ? OR deadline <= ? ORDER BY deadline, id
                """)
            return try Int64.fetchAll(statement, arguments: [time.boot.text, time.now])
                .map(LeaseID.init(rawValue:))
        }
    }

    func removeLease(_ lease: LeaseID) throws(MetadataError) {
        try context.run {
            try db.cachedStatement(sql: "DELETE FROM leases WHERE id = ?")
                .execute(arguments: [lease.rawValue])
        }
    }

    func addLease(_ lease: Lease, at time: LeaseTime) throws(MetadataError) {
        try context.run {
            let ttl = lease.ttl.wholeNanoseconds
            try db.cachedStatement(
                sql: "INSERT INTO leases (id, ttl, deadline, boot) VALUES (?, ?, ?, ?)"
            ).execute(arguments: [lease.id.rawValue, ttl, time.now + ttl, time.boot.text])
        }
    }

    /// The lease, its time begun afresh; nil when there is no such lease.
    func renewLease(_ lease: LeaseID, at time: LeaseTime) throws(MetadataError) -> Lease? {
        try context.run {
            let statement = try db.cachedStatement(
                sql: "UPDATE leases SET deadline = ? + ttl WHERE id = ? RETURNING ttl")
            let ttl = try Int64.fetchOne(statement, arguments: [time.now, lease.rawValue])
            return ttl.map { Lease(id: lease, ttl: .nanoseconds($0)) }
        }
    }
}
