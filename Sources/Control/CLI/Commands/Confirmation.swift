import API
import Glibc

/// `[Y/N]` before something that cannot be undone.
enum Confirmation {
    /// Throws unless the answer is yes. Without a terminal there is nobody to ask: that is a No.
    static func ask(_ question: String, what: String) throws(APIError) {
        guard isatty(STDIN_FILENO) == 1 else {
            throw APIError(
                what: what, why: "not confirmed, there is no terminal to ask", next: "use -y")
        }
        Output.write("\(question) [Y/N] ", to: STDERR_FILENO)
        guard isYes(readLine() ?? "") else { throw APIError(what: what, why: "not confirmed") }
    }

    static func isYes(_ answer: String) -> Bool {
        ["y", "yes"].contains(answer.lowercased())
    }
}
