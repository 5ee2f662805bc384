import DriveFormat
import Glibc
import Units

/// Why something on a drive could not be done: operation, path, cause, and what helps.
public enum DriveError: Error, Equatable, Sendable {
    /// A system call failed.
    case system(operation: String, path: String, errno: Int32)
    /// Another process, or an earlier request of this one, still has the replica's data open.
    case inUse(path: String)
    case missing(path: String)
    /// The directory is no drive of cio, and holds replicas or is not a directory.
    case foreign(path: String, reason: String)
    /// What cio once wrote there cannot be used.
    case refused(path: String, FormatFault)
    case otherCluster(path: String, found: ClusterID)
    case otherVolume(path: String, found: VolumeID)
    case otherReplica(path: String, found: ReplicaID)
    case otherDrive(path: String, found: DriveID)
    case wrongSize(path: String, found: UInt64, expected: UInt64)
    /// Parts of a replica that cannot belong together: one of them is older than it should be.
    case contradiction(path: String, reason: String)
    case badVolumeSize(path: String, bytes: UInt64, reason: String)

    /// The error of the system call that has just failed.
    static func last(_ operation: String, _ path: String) -> DriveError {
        let code = errno
        require(code != EBADF && code != EFAULT, "\(operation) \(path): \(errorText(code))")
        return code == ENOENT
            ? .missing(path: path) : .system(operation: operation, path: path, errno: code)
    }
}

func errorText(_ code: Int32) -> String { String(cString: strerror(code)) }

extension DriveError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .system(let operation, let path, let code):
            "\(operation) \(path): \(errorText(code))" + Self.advice(operation, code)
        case .inUse(let path):
            "\(path) is still in use by another process; it is free when that has ended"
        case .missing(let path): "\(path) does not exist"
        case .foreign(let path, let reason):
            "\(path) is not a drive of cio: \(reason); left as it is"
        case .refused(let path, let fault): "\(path) is refused: \(fault); left as it is"
        case .otherCluster(let path, let found):
            "\(path) belongs to the cluster \(found.text); give this one another directory"
        case .otherVolume(let path, let found):
            "\(path) holds a replica of the volume \(found.text)"
        case .otherReplica(let path, let found): "\(path) holds the replica \(found.text)"
        case .otherDrive(let path, let found):
            "\(path) was created on the drive \(found.text); it is not served from another"
        case .wrongSize(let path, let found, let expected):
            "\(path) has \(found) bytes, and should have \(expected)"
        case .contradiction(let path, let reason):
            "\(path) is refused: \(reason); rebuild this copy from another"
        case .badVolumeSize(let path, let bytes, let reason):
            "no replica of \(bytes) bytes can be made in \(path): \(reason)"
        }
    }

    private static func advice(_ operation: String, _ code: Int32) -> String {
        switch code {
        case ENOSPC, EDQUOT: " (free space on the drive)"
        case EIO: " (the drive may be failing: see the kernel's log)"
        case EROFS: " (the drive is mounted read-only: see the kernel's log, and remount it)"
        case EACCES, EPERM: " (ciod needs to be root there)"
        case EINVAL where operation == "open":
            " (the filesystem does no direct I/O: use XFS or ext4)"
        case EMFILE, ENFILE: " (raise the limit of open files)"
        default: ""
        }
    }
}
