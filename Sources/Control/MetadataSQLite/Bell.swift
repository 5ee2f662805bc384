import Foundation
import Metadata
import Synchronization

/// Waits for other processes' commits: inotify on one file, see inotify(7).
///
/// Who commits touches the file afterwards (IN_ATTRIB). Who is killed before that closes it
/// (IN_CLOSE_WRITE). Writes to it are not watched for: they come before a commit can be seen, and
/// there are many. Used by one thread, but for `interrupt`.
final class Bell: Sendable {
    private let path: String
    private let inotify: Int32
    /// Written to by `interrupt`.
    private let wire: (receiving: Int32, sending: Int32)
    /// Watching has to be begun (again): at first, and when the file was deleted or moved.
    private let isLost = Atomic(true)

    init(path: String, _ context: OperationContext) throws(MetadataError) {
        self.path = path
        inotify = inotify_init1(Int32(IN_CLOEXEC) | Int32(IN_NONBLOCK))
        guard inotify >= 0 else {
            throw context.make(
                .unexpected, "inotify_init1: \(String(cString: strerror(errno)))",
                "raise /proc/sys/fs/inotify/max_user_instances")
        }
        var ends: [Int32] = [-1, -1]
        // Not a pipe: Swift does not see pipe2(2), and pipe(2) leaks into children for a moment.
        let kind = SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue
        guard socketpair(AF_UNIX, Int32(kind), 0, &ends) == 0 else {
            let cause = "socketpair: \(String(cString: strerror(errno)))"
            Glibc.close(inotify)
            throw context.make(.unexpected, cause, "raise the limit of open files")
        }
        wire = (ends[0], ends[1])
        listen()
    }

    deinit {
        Glibc.close(inotify)
        Glibc.close(wire.receiving)
        Glibc.close(wire.sending)
    }

    /// Returns when the bell rang, `interrupt` was called or the time is over.
    func wait(for duration: Duration) {
        if isLost.load(ordering: .relaxed) { listen() }
        var watched = [
            pollfd(fd: inotify, events: Int16(POLLIN), revents: 0),
            pollfd(fd: wire.receiving, events: Int16(POLLIN), revents: 0),
        ]
        // Rounded up: waking just before a deadline would only mean to wait again.
        let milliseconds = (max(duration, .zero).wholeNanoseconds + 999_999) / 1_000_000
        // A signal (EINTR) is as good a reason to look as any.
        _ = poll(&watched, nfds_t(watched.count), Int32(clamping: milliseconds))
        drain()
    }

    /// Makes `wait` return, now or the next time. From any thread.
    func interrupt() {
        var byte: UInt8 = 1
        // A full buffer interrupts just as well.
        _ = write(wire.sending, &byte, 1)
    }

    /// By path, so that nothing is opened. Without the file `wait` only keeps time.
    private func listen() {
        let events = IN_ATTRIB | IN_CLOSE_WRITE | IN_DELETE_SELF | IN_MOVE_SELF
        let watch = inotify_add_watch(inotify, path, UInt32(events))
        isLost.store(watch < 0, ordering: .relaxed)
    }

    /// Reads all events: one look at the store answers them together.
    private func drain() {
        withUnsafeTemporaryAllocation(byteCount: 4096, alignment: 8) { buffer in
            while true {
                let count = read(inotify, buffer.baseAddress, buffer.count)
                guard count > 0 else { break }
                noticeLoss(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
            }
            _ = read(wire.receiving, buffer.baseAddress, buffer.count)
        }
    }

    private func noticeLoss(_ events: UnsafeRawBufferPointer) {
        let headerSize = MemoryLayout<inotify_event>.size
        var offset = 0
        while offset + headerSize <= events.count {
            let event = events.loadUnaligned(fromByteOffset: offset, as: inotify_event.self)
            let lost = UInt32(IN_IGNORED | IN_DELETE_SELF | IN_MOVE_SELF)
            if event.mask & lost != 0 { isLost.store(true, ordering: .relaxed) }
            offset += headerSize + Int(event.len)
        }
    }
}
