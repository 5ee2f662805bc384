import Replication
import Testing

@testable import Simulation

/// The checkers see: with a rule left out, a seed fails that passes with it.
@Suite struct PlantedFaultTests {
    /// The first seed that catches each planted fault.
    static let seeds: KeyValuePairs<String, UInt64> = [
        "reuse-epoch": 1,
        "outcome-by-reading": 1,
        "lease-from-one": 70,
        "restart-forgets-lease": 26,
        "old-connection-lives": 13,
        "one-way-lock": 4,
        "data-before-mark": 3815,
        "lock-until-acknowledged": 23,
        "close-without-candidate": 3062,
        "any-source": 73,
        "intact-at-promise": 1275,
        "copy-without-mark": 2,
        "serve-before-equal": 386,
        "list-before-drained": 2121,
        "promote-without-flush": 40,
        "candidate-reconnects": 518,
        "flush-over-lost-writes": 37,
        "acknowledge-before-recorded": 2,
        "skip-lease-wait": 26,
        "copy-without-lock": 17,
        "free-too-early": 2,
        "lease-checked-early": 6,
        "promise-before-drained": 637,
        "forget-promise": 16,
        "flush-while-reconciling": 529,
        "repair-without-lock": 28,
    ]

    static var caught: [(fault: PlantedFault, seed: UInt64)] {
        PlantedFault.all.compactMap { fault in
            seeds.first { $0.key == fault.name }.map { (fault, $0.value) }
        }
    }

    @Test(arguments: caught.map { Catch(fault: $0.fault, seed: $0.seed) })
    func aPlantedFaultIsCaught(given: Catch) {
        var settings = settings(given.fault)
        #expect(simulate(seed: given.seed, settings: settings).violation != nil)
        settings.planted = []
        #expect(simulate(seed: given.seed, settings: settings).violation == nil)
    }

    /// Without knowing the seed: what most seeds notice, some of the first must.
    @Test(arguments: caught.filter { $0.seed <= 30 }.map { Catch(fault: $0.fault, seed: $0.seed) })
    func anObviousFaultIsCaughtBySomeOfTheFirstSeeds(given: Catch) {
        let isCaught = (1...60 as ClosedRange<UInt64>).contains {
            simulate(seed: $0, settings: settings(given.fault)).violation != nil
        }
        #expect(isCaught)
    }

    @Test func everyFaultHasASeedAndANameOfItsOwn() {
        #expect(Self.caught.count == PlantedFault.all.count)
        #expect(Set(PlantedFault.all.map(\.name)).count == PlantedFault.all.count)
        #expect(Set(PlantedFault.all.map(\.fault.rawValue)).count == PlantedFault.all.count)
    }

    private func settings(_ fault: PlantedFault) -> SimulationSettings {
        SimulationSettings(planted: fault.fault, rots: fault.rule == "22")
    }

    struct Catch: Sendable, CustomTestStringConvertible {
        var fault: PlantedFault
        var seed: UInt64
        var testDescription: String { "\(fault.name) by seed \(seed)" }
    }
}
