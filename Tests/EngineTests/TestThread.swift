import Foundation
import Ring
import Synchronization

/// A thread whose error is thrown where it is joined.
final class TestThread: Sendable {
    private let failure = Mutex<(any Error)?>(nil)
    private let thread = Mutex<EngineThread?>(nil)

    init(_ body: @escaping @Sendable () throws -> Void) {
        let thread = try! EngineThread(name: "client") { [self] in
            do { try body() } catch { failure.withLock { $0 = error } }
        }
        self.thread.withLock { $0 = thread }
    }

    func join() throws {
        thread.withLock { $0 }?.join()
        if let error = failure.withLock({ $0 }) { throw error }
    }
}

enum Shell {
    /// Runs a script; its exit status.
    static func run(_ script: String) throws -> Int32 {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/bin/sh")
        process.arguments = ["-c", script]
        try process.run()
        process.waitUntilExit()
        return process.terminationStatus
    }
}
