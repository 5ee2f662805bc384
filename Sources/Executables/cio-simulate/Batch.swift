import Dispatch
import Foundation
import Simulation

/// Many seeds on as many threads as there are cores; results come in the order of the seeds.
struct Batch {
    let seeds: ClosedRange<UInt64>
    let settings: SimulationSettings
    let jobs: Int
    private(set) var report = SimulationReport()
    /// From the first run's beginning to the last one's end.
    private(set) var seconds = 0.0

    /// Seeds that one thread takes at a time: some 100 ms of work.
    private static let share: UInt64 = 32

    init(seeds: ClosedRange<UInt64>, settings: SimulationSettings, jobs: Int?) {
        self.seeds = seeds
        self.settings = settings
        self.jobs = jobs ?? ProcessInfo.processInfo.activeProcessorCount
    }

    /// Runs until all are done, or until `take` wants no more.
    mutating func run(_ take: (SimulationResult) -> Bool) async {
        let begun = DispatchTime.now().uptimeNanoseconds
        let progress = Progress()
        var wantsMore = true
        await withTaskGroup(of: [SimulationResult].self) { group in
            var next: UInt64? = seeds.lowerBound
            var ready: [UInt64: [SimulationResult]] = [:]
            var awaited = seeds.lowerBound
            for _ in 0..<jobs { startShare(&next, in: &group) }
            while wantsMore, let results = await group.next() {
                ready[results[0].seed] = results
                startShare(&next, in: &group)
                while wantsMore, let results = ready.removeValue(forKey: awaited) {
                    awaited = results.last!.seed &+ 1
                    for result in results where wantsMore {
                        report.add(result)
                        wantsMore = take(result)
                    }
                }
                progress.show(report, of: seeds)
            }
            group.cancelAll()
        }
        progress.clear()
        seconds = Double(DispatchTime.now().uptimeNanoseconds - begun) / 1e9
    }

    private func startShare(
        _ next: inout UInt64?, in group: inout TaskGroup<[SimulationResult]>
    ) {
        guard let first = next else { return }
        let last = seeds.upperBound - first < Self.share ? seeds.upperBound : first + Self.share - 1
        next = last == seeds.upperBound ? nil : last + 1
        let settings = settings
        group.addTask {
            var results: [SimulationResult] = []
            for seed in first...last {
                results.append(simulate(seed: seed, settings: settings))
                if Task.isCancelled { break }
            }
            return results
        }
    }
}
