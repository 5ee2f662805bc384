import Foundation
import Simulation

/// One line on standard error that says how far the seeds are; silent where nobody looks.
struct Progress {
    private let isShown = isatty(STDERR_FILENO) == 1

    func show(_ report: SimulationReport, of seeds: ClosedRange<UInt64>) {
        guard isShown else { return }
        let total = seeds.upperBound - seeds.lowerBound + 1
        write("\r\(report.runs) of \(total) seeds, \(report.failures.count) failed")
    }

    func clear() {
        if isShown { write("\r\u{1B}[K") }
    }

    private func write(_ text: String) {
        FileHandle.standardError.write(Data(text.utf8))
    }
}
