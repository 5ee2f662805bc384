import CAio
import Glibc
import Synchronization

/// A named POSIX thread that runs one function and can be waited for.
///
/// Engine loops live on such threads and not on Swift's cooperative pool, whose threads must
/// never block. Signals to the process go to other threads: here all are blocked.
public final class EngineThread: Sendable {
    private let handle: Mutex<pthread_t?>

    /// - Parameter name: as `ps -L` and `top -H` show it; the kernel keeps 15 bytes.
    public init(name: String, _ body: @escaping @Sendable () -> Void) throws(RingError) {
        let start = unsafe Unmanaged.passRetained(Start(name: name, body: body))
        var thread = pthread_t()
        let code = unsafe pthread_create(&thread, nil, { argument in
            let start = unsafe Unmanaged<Start>.fromOpaque(argument!).takeRetainedValue()
            unsafe cio_name_thread(start.name)
            EngineThread.blockSignals()
            start.body()
            return nil
        }, start.toOpaque())
        guard code == 0 else {
            unsafe start.release()
            throw RingError("pthread_create", code: code)
        }
        handle = Mutex(thread)
    }

    /// A thread that nobody joins frees itself when its function returns.
    deinit {
        handle.withLock { if let thread = $0 { pthread_detach(thread) } }
    }

    /// Waits for the function to return. Once only has an effect; never from the thread itself.
    public func join() {
        let thread = handle.withLock { handle in
            defer { handle = nil }
            return handle
        }
        if let thread { _ = pthread_join(thread, nil) }
    }

    private static func blockSignals() {
        var all = sigset_t()
        unsafe sigfillset(&all)
        _ = unsafe pthread_sigmask(SIG_BLOCK, &all, nil)
    }

    private final class Start: Sendable {
        let name: String
        let body: @Sendable () -> Void

        init(name: String, body: @escaping @Sendable () -> Void) {
            self.name = name
            self.body = body
        }
    }
}
