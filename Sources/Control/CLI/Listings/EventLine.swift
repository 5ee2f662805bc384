import API
import Glibc

/// A line of `cio events`:
/// `05/12/2019-20:51:08 [info] [DFS] volume db (vd2) created on node f8891810:1009`.
enum EventLine {
    static func text(_ event: EventView) -> String {
        let module = event.module.map { "[\($0)] " } ?? ""
        // The one line of the original with a space before its code, and those who read it by
        // program expect it there.
        let space = event.code == failoverCompleted ? " " : ""
        return "\(timeText(event.time)) [\(event.category)] "
            + "\(module)\(event.text)\(space):\(event.code)"
    }

    private static let failoverCompleted = 1019

    /// `MM/DD/YYYY-HH:MM:SS`, local time.
    static func timeText(_ seconds: Double) -> String {
        var time = time_t(seconds)
        var parts = tm()
        guard localtime_r(&time, &parts) != nil else { return "-" }
        func pad(_ number: Int32) -> String { number < 10 ? "0\(number)" : "\(number)" }
        return "\(pad(parts.tm_mon + 1))/\(pad(parts.tm_mday))/\(parts.tm_year + 1900)"
            + "-\(pad(parts.tm_hour)):\(pad(parts.tm_min)):\(pad(parts.tm_sec))"
    }
}
