import Records
import Testing
import Units

@testable import Scheduling

/// A large cluster: the figures are printed, the outcome is what is checked.
@Suite struct PlanCostTests {
    private func cluster(nodes count: Int, volumes: Int, silent: Int) -> ClusterView {
        let nodes = (1...count).map { number in
            let role = NodeRecord.Role.allCases[min(number, 4) - 1]
            return node(number, role, silentFor: number > count - silent ? 40 : nil)
        }
        let all = (1...volumes).map { number in
            let places = [0, 7, 31].map { (number + $0) % count + 1 }
            return volume(number, on: places)
        }
        return ClusterView(nodes: nodes, volumes: all)
    }

    @Test(arguments: [(100, 1000, 0), (1000, 10_000, 0), (1000, 10_000, 1), (1000, 10_000, 300)])
    func plansForManyNodesAndVolumes(nodes: Int, volumes: Int, silent: Int) {
        let view = cluster(nodes: nodes, volumes: volumes, silent: silent)
        let clock = ContinuousClock()
        var changes: [SchedulerChange] = []
        let planning = clock.measure { changes = plan(view) }
        var report = SurvivalReport(problems: [])
        let surviving = clock.measure { report = survivesLossOfAnyNode(view) }
        print(
            "\(nodes) nodes (\(silent) dead), \(volumes) volumes: plan \(planning) with "
                + "\(changes.count) changes, survival \(surviving)")
        #expect(changes.isEmpty == (silent == 0))
        #expect(report.survives || silent > 0)
        #expect(plan(apply(changes, to: view)).isEmpty)
    }

    /// All changes in one pass, unlike the obvious way of the other tests.
    private func apply(_ changes: [SchedulerChange], to view: ClusterView) -> ClusterView {
        var byVolume: [VolumeID: [SchedulerChange]] = [:]
        for change in changes {
            switch change {
            case .park(let id, _, _), .setPlacement(let id, _), .setRebuildTo(let id, _):
                byVolume[id, default: []].append(change)
            case .setRole, .removeRecords: break
            }
        }
        var result = view
        for index in result.volumes.indices {
            for change in byVolume[result.volumes[index].wanted.id] ?? [] {
                result.volumes[index].wanted = result.volumes[index].wanted.applying(change)
            }
        }
        return result
    }
}
