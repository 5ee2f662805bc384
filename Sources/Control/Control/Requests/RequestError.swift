import API

/// A request that failed, and the HTTP status that says so.
public struct RequestError: Error, Sendable, CustomStringConvertible {
    public enum Kind: Int, Sendable {
        case invalid = 400
        case notFound = 404
        case notAllowed = 405
        case conflict = 409
        case unavailable = 503
        case timedOut = 504
    }

    public var kind: Kind
    public var body: APIError

    public init(_ kind: Kind, _ what: String, why: String, next: String? = nil) {
        self.kind = kind
        body = APIError(what: what, why: why, next: next)
    }

    public var description: String { body.description }
}
