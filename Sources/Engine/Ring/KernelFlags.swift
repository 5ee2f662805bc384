import CAio
import Glibc
import Units

/// Flags of open(2).
public enum OpenFlags {
    /// O_DIRECT, which Swift's Glibc does not show.
    public static let direct = cio_open_direct
}

/// Flags of pwritev2(2).
enum WriteFlags {
    /// RWF_DSYNC: the write is durable when it completes (include/uapi/linux/fs.h).
    static let dsync: Int32 = 2
}

/// Flags of send(2) and recv(2).
enum MessageFlags {
    static let whole = Int32(MSG_WAITALL)
    /// Sends complete when everything is sent, and a closed peer is an EPIPE, not a signal.
    static let send = Int32(MSG_WAITALL | MSG_NOSIGNAL)
}

/// An errno that only a mistake of ours can bring about.
@inline(never)
func trap(_ operation: String, _ code: Int32) -> Never {
    trap("\(operation): \(errorText(-code))")
}

/// The same for a call on a descriptor.
@inline(never)
func trap(_ operation: String, descriptor: Int32, _ code: Int32) -> Never {
    trap("\(operation) of descriptor \(descriptor)", code)
}

/// EBADF: a descriptor was used after its close. EFAULT: memory was given back too early.
@inline(__always)
func trapOnMistake(_ completion: Completion) {
    if completion.result == -EBADF || completion.result == -EFAULT { trap(completion) }
}

@inline(never)
private func trap(_ completion: Completion) -> Never {
    let tag = completion.tag
    trap("operation of kind \(tag.kind), index \(tag.index)", completion.result)
}
