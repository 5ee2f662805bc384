import Records
import Testing
import Units

@testable import Scheduling

/// Plans and steps together bring every cluster back to what is wanted.
@Suite struct ConvergenceTests {
    private static let seeds: UInt64 = 1000

    @Test func everyClusterHeals() {
        for seed in 1...Self.seeds {
            var model = OwnersModel(seed: seed)
            for _ in 0..<Int.random(in: 0...60, using: &model.random) {
                if Bool.random(using: &model.random) { model.upset() }
                model.turn()
            }
            model.calm()
            for _ in 0..<150 { model.turn() }
            let faults = model.violations + unhealed(model)
            if !faults.isEmpty {
                Issue.record("seed \(seed): \(faults.prefix(3).joined(separator: "; "))")
                return
            }
        }
    }

    private func unhealed(_ model: OwnersModel) -> [String] {
        var faults: [String] = []
        if !plan(model.view).isEmpty { faults.append("still plans \(plan(model.view))") }
        for volume in model.view.volumes {
            let configuration = volume.configuration
            // A volume whose last copies are on dead nodes waits, as it is.
            guard configuration.inSync.contains(where: model.isSound) else { continue }
            faults += unhealed(volume, model).map { "\(volume.wanted.name): \($0)" }
        }
        return faults
    }

    private func unhealed(_ volume: VolumeView, _ model: OwnersModel) -> [String] {
        let wanted = volume.wanted
        let configuration = volume.configuration
        var faults: [String] = []
        let holders = configuration.inSync.filter(model.isSound).map(\.node)
        let expected = min(wanted.copies, model.holdersMax)
        if Set(holders).count != expected {
            faults.append("copies in sync on \(Set(holders).count) nodes instead of \(expected)")
        }
        if expected == wanted.copies && configuration.replicas.count != wanted.copies {
            faults.append("\(configuration.replicas.count) replicas recorded")
        }
        if let user = wanted.attachTo {
            let mayHold = model.view.nodes.contains {
                $0.record.id == user && $0.isAlive && !$0.record.drives.isEmpty
            }
            if mayHold && !holders.contains(user) { faults.append("no copy at its user") }
        }
        let isOwned = wanted.wantedOwner.map(model.isAlive) ?? false
        if !isOwned { faults.append("no owner") }
        return faults
    }
}
