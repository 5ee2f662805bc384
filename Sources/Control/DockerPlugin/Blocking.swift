import Dispatch

/// Calls that may block for long run on threads of their own, not on those of async Swift.
enum Blocking {
    private static let queue = DispatchQueue(
        label: "cio.docker.blocking", attributes: .concurrent)

    static func run<Value: Sendable>(_ work: @escaping @Sendable () -> Value) async -> Value {
        await withCheckedContinuation { continuation in
            queue.async { continuation.resume(returning: work()) }
        }
    }
}
