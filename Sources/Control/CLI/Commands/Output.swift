import Glibc

/// What a command says: results and listings on standard output, failures on standard error.
package enum Output {
    /// Ends the process when nobody reads any more, as `cio events --follow | head` does.
    package static func line(_ text: String) { write(text + "\n", to: STDOUT_FILENO) }

    package static func success(_ text: String) { line("Succeed: \(text)") }

    package static func failure(_ text: String) { write("Fail: \(text)\n", to: STDERR_FILENO) }

    /// Replaces the terminal's current line.
    static func replaceLine(_ text: String) { write("\r\u{1B}[K\(text)", to: STDOUT_FILENO) }

    static var isTerminal: Bool { isatty(STDOUT_FILENO) == 1 }

    static func write(_ text: String, to descriptor: Int32) {
        var bytes = Array(text.utf8)[...]
        while !bytes.isEmpty {
            let count = bytes.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { exit(EXIT_FAILURE) }
            bytes = bytes.dropFirst(count)
        }
    }
}
