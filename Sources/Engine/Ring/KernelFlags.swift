import CAio
import Glibc

/// Flags of system calls that both backends use the same way.
public enum OpenFlags {
    /// O_DIRECT, which Swift's Glibc does not show.
    public static let direct = cio_open_direct
}

enum WriteFlags {
    /// RWF_DSYNC: the write is durable when it completes (include/uapi/linux/fs.h).
    static let dsync: Int32 = 2
}

enum MessageFlags {
    static let whole = Int32(MSG_WAITALL)
    /// Sends complete when everything is sent, and a closed peer is an EPIPE, not a signal.
    static let send = Int32(MSG_WAITALL | MSG_NOSIGNAL)
}

/// An errno that only a mistake of ours can bring about.
@inline(never)
func trap(_ operation: String, _ code: Int32) -> Never {
    fatalError("\(operation): \(errorText(-code))")
}

/// EBADF: a descriptor was used after its close. EFAULT: memory was given back too early.
@inline(__always)
func trapOnMistake(_ completion: Completion) {
    if completion.result == -EBADF || completion.result == -EFAULT {
        trap("operation \(String(completion.tag.rawValue, radix: 16))", completion.result)
    }
}
