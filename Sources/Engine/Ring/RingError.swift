import Glibc

/// Why a ring, a waker, a thread or a buffer pool could not be made.
public struct RingError: Error, Equatable, CustomStringConvertible {
    /// The system call or step that failed.
    public var operation: String
    /// The positive errno; 0 where no single call failed.
    public var code: Int32
    /// What it means here and what helps; empty where the errno says it all.
    public var advice: String

    init(_ operation: String, code: Int32, advice: String = "") {
        self.operation = operation
        self.code = code
        self.advice = advice
    }

    public var description: String {
        if code == 0 { return "\(operation): \(advice)" }
        let cause = "\(operation): \(errorText(code))"
        return advice.isEmpty ? cause : "\(cause) (\(advice))"
    }
}

/// The errno's text, thread-safe since glibc 2.32.
func errorText(_ code: Int32) -> String {
    unsafe String(cString: strerror(code))
}
