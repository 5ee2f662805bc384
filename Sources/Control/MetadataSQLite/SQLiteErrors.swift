import Foundation
import GRDB
import Metadata

extension OperationContext {
    /// What an error of SQLite means to whoever asked.
    func error(
        _ error: any Error, outcome: MetadataError.Outcome = .notDone
    ) -> MetadataError {
        if let error = error as? MetadataError { return error }
        guard let sqlite = error as? DatabaseError else {
            return make(.unexpected, String(describing: error), nil, outcome: outcome)
        }
        let (kind, remedy) = meaning(of: sqlite.resultCode)
        let code = sqlite.extendedResultCode.rawValue
        let cause =
            kind == .busy
            ? "others hold \(path)\(LockHolder.describe(of: path))"
            : "\(path): \(sqlite.message ?? "SQLite error") (\(code))"
        return make(kind, cause, remedy, outcome: outcome)
    }

    private func meaning(of code: ResultCode) -> (MetadataError.Kind, remedy: String?) {
        switch code {
        case .SQLITE_BUSY, .SQLITE_LOCKED:
            (.busy, "continue or end the process that holds it")
        case .SQLITE_CORRUPT, .SQLITE_NOTADB:
            (.corrupt, "stop every ciod that uses it and restore the file from a copy")
        case .SQLITE_FULL:
            (.full, "free space on the filesystem that holds it")
        case .SQLITE_READONLY, .SQLITE_PERM, .SQLITE_AUTH:
            (.readOnly, "make the file, its -wal and its folder writable")
        case .SQLITE_CANTOPEN:
            (.cannotOpen, "check that the folder exists and that this user may write to it")
        case .SQLITE_IOERR, .SQLITE_NOLFS:
            (.ioFailed, "look for disk errors in the kernel's log")
        default:
            (.unexpected, nil)
        }
    }

    func make(
        _ kind: MetadataError.Kind, _ cause: String, _ remedy: String?,
        outcome: MetadataError.Outcome = .notDone
    ) -> MetadataError {
        MetadataError(
            kind, outcome: outcome, operation: operation, object: object, cause: cause,
            remedy: remedy)
    }
}
