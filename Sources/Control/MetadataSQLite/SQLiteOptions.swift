import Metadata

/// How a SQLite store behaves. The defaults are right for `ciod`.
public struct SQLiteOptions: Sendable {
    /// How long a transaction waits for other writers, counted from its submission, before it fails
    /// with `.busy`. A transaction holds the lock for one fsync, so that seconds of waiting mean a
    /// stopped process or a stuck disk.
    public var busyTimeout: Duration

    /// How often the store looks at its revision though nothing woke it. A change by another
    /// process wakes it at once; this is for what inotify does not show, such as a program other
    /// than cio that writes.
    public var rereadInterval: Duration

    public var history: HistoryLimits

    public init(
        busyTimeout: Duration = .seconds(5), rereadInterval: Duration = .seconds(1),
        history: HistoryLimits = HistoryLimits()
    ) {
        self.busyTimeout = busyTimeout
        self.rereadInterval = rereadInterval
        self.history = history
    }
}
