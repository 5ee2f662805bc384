/// A number that grows by one with every transaction that changes the store. A fresh store is at 1.
public struct Revision: RawRepresentable, Hashable, Comparable, Codable, Sendable {
    public let rawValue: Int64

    public init(rawValue: Int64) { self.rawValue = rawValue }

    /// Before everything: a watch after `zero` sees the whole history, as long as it is kept.
    public static let zero = Revision(rawValue: 0)

    /// The revision of a store in which nothing was ever written.
    public static let initial = Revision(rawValue: 1)

    public var next: Revision { Revision(rawValue: rawValue + 1) }

    public static func < (a: Revision, b: Revision) -> Bool { a.rawValue < b.rawValue }
}

extension Revision: CustomStringConvertible {
    public var description: String { String(rawValue) }
}

/// Names a lease. Never zero, which is how etcd writes "no lease".
public struct LeaseID: RawRepresentable, Hashable, Codable, Sendable {
    public let rawValue: Int64

    public init(rawValue: Int64) { self.rawValue = rawValue }

    /// A name that was not in use before, with overwhelming probability.
    public static func random() -> LeaseID { LeaseID(rawValue: .random(in: 1...Int64.max)) }
}

extension LeaseID: CustomStringConvertible {
    public var description: String { String(UInt64(bitPattern: rawValue), radix: 16) }
}

/// A lease as the store granted it.
public struct Lease: Hashable, Sendable {
    public let id: LeaseID
    /// The time after the last renewal at which the lease runs out.
    public let ttl: Duration

    public init(id: LeaseID, ttl: Duration) {
        self.id = id
        self.ttl = ttl
    }
}

/// A key with its value and where it stands in the store's history.
public struct Entry: Equatable, Sendable {
    public let key: String
    public let value: [UInt8]
    /// The revision in which the key came into being; a deleted key that comes back begins anew.
    public let createRevision: Revision
    /// The revision of the last put.
    public let modRevision: Revision
    /// The number of puts since the key came into being, from 1.
    public let version: Int64
    /// The lease with which the key vanishes.
    public let lease: LeaseID?

    public init(
        key: String, value: [UInt8], createRevision: Revision, modRevision: Revision,
        version: Int64, lease: LeaseID?
    ) {
        self.key = key
        self.value = value
        self.createRevision = createRevision
        self.modRevision = modRevision
        self.version = version
        self.lease = lease
    }
}

/// What a range held at one moment.
public struct Snapshot: Equatable, Sendable {
    public let entries: [Entry]
    /// The store's revision at that moment; a watch after it misses nothing.
    public let revision: Revision

    public init(entries: [Entry], revision: Revision) {
        self.entries = entries
        self.revision = revision
    }
}
