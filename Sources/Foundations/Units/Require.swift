/// Traps with its message, also with -O, where `precondition` prints none.
///
/// For what only a programmer's error can bring about. The message is built only on failure.
@inlinable @inline(__always)
public func require(
    _ condition: Bool, _ message: @autoclosure () -> String,
    file: StaticString = #fileID, line: UInt = #line
) {
    if !condition { requirementFailed(message(), file: file, line: line) }
}

@usableFromInline @inline(never)
func requirementFailed(_ message: String, file: StaticString, line: UInt) -> Never {
    fatalError(message, file: file, line: line)
}
