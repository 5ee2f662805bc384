/// Traps with its message, also with -O, where `precondition` prints none.
///
/// For what only a programmer's error can bring about. The message is built only on failure, and
/// away from the caller: a function that requires something holds no code for the text.
@inlinable @inline(__always)
public func require(
    _ condition: Bool, _ message: @autoclosure () -> String,
    file: StaticString = #fileID, line: UInt = #line
) {
    if !condition { trap(message(), file: file, line: line) }
}

/// `fatalError`, whose message is built away from the caller.
@inline(never)
public func trap(
    _ message: @autoclosure () -> String,
    file: StaticString = #fileID, line: UInt = #line
) -> Never {
    fatalError(message(), file: file, line: line)
}
