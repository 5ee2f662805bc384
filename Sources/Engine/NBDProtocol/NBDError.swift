import Glibc

/// The errors that an NBD reply can carry: their numbers are the protocol's, whatever the
/// machine's errno values are.
public enum NBDError: UInt32, Sendable {
    case notPermitted = 1  // NBD_EPERM
    case inputOutput = 5  // NBD_EIO
    case noMemory = 12  // NBD_ENOMEM
    case invalid = 22  // NBD_EINVAL
    case noSpace = 28  // NBD_ENOSPC
    case overflow = 75  // NBD_EOVERFLOW
    case notSupported = 95  // NBD_ENOTSUP
    case shuttingDown = 108  // NBD_ESHUTDOWN

    /// The protocol's answer to a positive `errno`. What it has no word for is an I/O error: a
    /// client may take any other one for its own mistake.
    public init(errno number: Int32) {
        switch number {
        case EPERM, EACCES, EROFS: self = .notPermitted
        case ENOMEM: self = .noMemory
        case EINVAL: self = .invalid
        case ENOSPC, EDQUOT, EFBIG: self = .noSpace
        case EOVERFLOW: self = .overflow
        case ENOTSUP: self = .notSupported
        case ESHUTDOWN: self = .shuttingDown
        default: self = .inputOutput
        }
    }
}
