import GRDB
import Metadata

/// The one row of the table `store`.
struct StoreHeader: Equatable {
    var revision: Revision
    /// Changes up to here have been trimmed.
    var compacted: Revision
    var changeCount: Int
    var changeBytes: Int
}

/// What an operation is about: names it in every error.
struct OperationContext: Sendable {
    let operation: String
    let object: String
    let path: String

    /// Runs SQL and says what failed. Nothing has been committed when it throws.
    func run<Value>(_ body: () throws -> Value) throws(MetadataError) -> Value {
        do {
            return try body()
        } catch {
            throw self.error(error)
        }
    }
}
