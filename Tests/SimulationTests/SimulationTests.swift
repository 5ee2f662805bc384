import Testing

@testable import Simulation

@Suite struct SimulationTests {
    @Test(arguments: [1, 34197, 60910] as [UInt64])
    func twoRunsOfASeedAreTheSame(seed: UInt64) {
        let settings = SimulationSettings(isTraced: true)
        let first = simulate(seed: seed, settings: settings)
        let second = simulate(seed: seed, settings: settings)
        #expect(first.trace == second.trace && !first.trace.isEmpty)
        #expect(first.digest == second.digest)
    }

    @Test func aTraceChangesNothing() {
        let silent = simulate(seed: 7, settings: SimulationSettings())
        let told = simulate(seed: 7, settings: SimulationSettings(isTraced: true))
        #expect(silent.digest == told.digest && silent.trace.isEmpty)
    }

    @Test func anotherSeedIsAnotherStory() {
        let settings = SimulationSettings()
        #expect(simulate(seed: 1, settings: settings).digest != simulate(seed: 2, settings: settings).digest)
    }

    @Test(arguments: KeptSeeds.all) func aKeptSeedPasses(seed: KeptSeeds.Seed) {
        let settings = SimulationSettings(rots: seed.rots)
        #expect(simulate(seed: seed.number, settings: settings).violation == nil)
    }

    /// Every kind of event has to happen, or the seeds prove nothing.
    @Test func threeHundredSeedsPassAndExerciseEverything() {
        var report = SimulationReport()
        for seed in 1...300 as ClosedRange<UInt64> {
            report.add(simulate(seed: seed, settings: SimulationSettings()))
        }
        for failure in report.failures {
            Issue.record("seed \(failure.seed): \(failure.violation ?? "")")
        }
        #expect(report.runs == 300)
        for (name, count) in report.counts.all { #expect(count > 100, "\(name)") }
    }
}
