import Dispatch

/// Calls that may block for long run on threads of their own, not on those of async Swift.
public enum Blocking {
    private static let queue = DispatchQueue(label: "cio.blocking", attributes: .concurrent)

    /// What the work throws is thrown.
    public static func run<Value: Sendable, Failure: Error>(
        _ work: @escaping @Sendable () throws(Failure) -> Value
    ) async throws(Failure) -> Value {
        let result = await withCheckedContinuation { continuation in
            queue.async {
                continuation.resume(returning: Result { () throws(Failure) in try work() })
            }
        }
        return try result.get()
    }
}
