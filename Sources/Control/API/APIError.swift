/// Why a request failed, as the body of every answer with a status of 400 or more:
/// `{"error": {"what": …, "why": …, "next": …}}`.
public struct APIError: Error, Codable, Equatable, Sendable {
    public struct Reason: Codable, Equatable, Sendable {
        /// What failed: `Move vd1`.
        public var what: String
        public var why: String
        /// What a person can do next; nil where there is nothing but to try again.
        public var next: String?
    }

    public var error: Reason

    public init(what: String, why: String, next: String? = nil) {
        error = Reason(what: what, why: why, next: next)
    }
}

extension APIError: CustomStringConvertible {
    /// One line: what failed, why, what to do next.
    public var description: String {
        "\(error.what): \(error.why)" + (error.next.map { "; \($0)" } ?? "")
    }
}
