import EngineCommands
import Records
import Units

/// The engine as control sees it: commands go in, reports come out. `ciod` joins the two.
public protocol EnginePort: Sendable {
    /// Never blocks.
    func send(_ command: EngineCommand)

    /// Every report, in order. Read once.
    var reports: AsyncStream<EngineReport> { get }

    /// Ends everything that is open, and returns when nothing of it runs any more.
    func stop() async

    /// `io_uring` or `libaio`, and a line for each thing that the kernel lacks.
    var kind: String { get }
    var missing: [String] { get }
}
