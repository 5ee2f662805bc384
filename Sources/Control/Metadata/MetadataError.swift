/// Why a metadata operation failed, on what, and what can be done about it.
public struct MetadataError: Error, Equatable, Sendable {
    /// What a caller may tell apart.
    public enum Kind: Equatable, Sendable {
        /// The request is malformed or beyond a limit: a mistake in the program that made it.
        case invalidRequest
        /// The lease ran out, was revoked, or never was.
        case leaseNotFound
        /// The history that a watch asks for is gone. Changes up to `oldest` can no longer be had:
        /// read the range again and watch after it.
        case compacted(oldest: Revision)
        /// Others changed the record again and again while we tried to.
        case contended
        /// The value at a key is not the record that it should be.
        case undecodable
        /// Others held the store for longer than we wait.
        case busy
        /// The store cannot be reached.
        case unavailable
        case closed
        case corrupt
        case cannotOpen
        case readOnly
        case full
        case ioFailed
        /// A newer version of this program wrote the store.
        case tooNew
        /// The file is not a metadata store.
        case foreign
        /// The file was moved, deleted or exchanged while it was in use.
        case replaced
        /// An error that nothing was prepared for.
        case unexpected
    }

    /// What is known about the change that was asked for.
    public enum Outcome: Equatable, Sendable {
        /// Certainly not made, and it never will be.
        case notDone
        /// Made, or not, or yet to be: send the same again.
        case unknown
    }

    public let kind: Kind
    public let outcome: Outcome
    /// What was tried: `transaction`, `range`, `open`.
    public let operation: String
    /// On what: keys, a lease, a path.
    public let object: String
    public let cause: String
    /// What a person can do, or nil when there is nothing to do but to try again.
    public let remedy: String?

    public init(
        _ kind: Kind, outcome: Outcome = .notDone, operation: String, object: String,
        cause: String, remedy: String? = nil
    ) {
        self.kind = kind
        self.outcome = outcome
        self.operation = operation
        self.object = object
        self.cause = cause
        self.remedy = remedy
    }
}

extension MetadataError: CustomStringConvertible {
    /// One line.
    public var description: String {
        let doubt = outcome == .unknown ? " (it may have been done)" : ""
        let advice = remedy.map { "; \($0)" } ?? ""
        return "metadata \(operation) of \(object): \(cause)\(doubt)\(advice)"
    }
}

extension MetadataError {
    static func invalidRequest(
        _ operation: String, on object: String, _ cause: String
    ) -> MetadataError {
        MetadataError(.invalidRequest, operation: operation, object: object, cause: cause)
    }

    public static func leaseNotFound(_ operation: String, _ lease: LeaseID) -> MetadataError {
        MetadataError(
            .leaseNotFound, operation: operation, object: "lease \(lease)",
            cause: "it has run out or was revoked")
    }

    public static func compacted(
        prefix: String, after: Revision, oldest: Revision
    ) -> MetadataError {
        MetadataError(
            .compacted(oldest: oldest), operation: "watch", object: "\(prefix)*",
            cause: "changes after revision \(after) were asked for, those up to \(oldest) are gone")
    }

    /// The store's revision lies below one that it had before.
    public static func wentBack(prefix: String, after: Revision, now: Revision) -> MetadataError {
        MetadataError(
            .compacted(oldest: now), operation: "watch", object: "\(prefix)*",
            cause: "the store was at revision \(after) and is now at \(now): it was restored")
    }

    public static func closed(_ operation: String, on object: String) -> MetadataError {
        MetadataError(
            .closed, operation: operation, object: object, cause: "the store is closed")
    }
}
