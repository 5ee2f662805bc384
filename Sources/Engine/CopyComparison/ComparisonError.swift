import Glibc

/// Why copies could not be compared at all.
public enum ComparisonError: Error, Equatable, CustomStringConvertible {
    case system(operation: String, path: String, errno: Int32)
    /// Not what a replica's directory holds.
    case notAReplica(path: String, reason: String)
    case otherVolume(path: String)
    case tooFew

    static func last(_ operation: String, _ path: String) -> ComparisonError {
        .system(operation: operation, path: path, errno: errno)
    }

    public var description: String {
        switch self {
        case .system(let operation, let path, let number):
            "\(operation) \(path): \(String(cString: strerror(number)))"
        case .notAReplica(let path, let reason): "\(path): \(reason)"
        case .otherVolume(let path): "\(path) is a copy of another volume, or of another size"
        case .tooFew: "at least one copy is needed"
        }
    }
}
