import EngineCommands
import Foundation
import Records
import Replication
import Synchronization
import Units

@testable import Engine

/// What stands in for control and the metadata service: it answers changes of configurations from
/// memory, and remembers every report.
final class TestControl: Sendable {
    struct State: Sendable {
        var records: [VolumeID: VolumeConfiguration] = [:]
        var reports: [(node: NodeID, report: EngineReport)] = []
        var exports: [String: NBDExport] = [:]
    }

    private let state = Mutex(State())
    private let changed = NSCondition()

    func put(_ record: VolumeConfiguration) {
        state.withLock { $0.records[record.volume] = record }
    }

    func record(of volume: VolumeID) -> VolumeConfiguration {
        state.withLock { $0.records[volume]! }
    }

    func export(_ name: String, _ export: NBDExport) {
        state.withLock { $0.exports[name] = export }
    }

    /// Called on engine threads.
    func take(_ report: EngineReport, from node: NodeID, answer: (EngineCommand) -> Void) {
        switch report {
        case .changeConfiguration(let volume, let instance, let change):
            answer(.configurationAnswered(volume, instance: instance, record(change)))
        case .exportWanted(let token, let name):
            let export = state.withLock { $0.exports[name] }
            let refusal = ExportRefusal(isUnknownName: true, message: "no volume '\(name)'")
            answer(.exportAnswered(token: token, export.map { .success($0) } ?? .failure(refusal)))
        default: break
        }
        state.withLock { $0.reports.append((node, report)) }
        changed.lock()
        changed.broadcast()
        changed.unlock()
    }

    /// Compare-and-swap on the epoch.
    private func record(_ change: ConfigurationChange) -> ChangeAnswer {
        state.withLock { state in
            let present = state.records[change.proposed.volume]!
            guard present.epoch + 1 == change.proposed.epoch else { return .conflict(present) }
            state.records[change.proposed.volume] = change.proposed
            return .recorded
        }
    }

    /// Waits until `isDone` holds for what is known; fails after a minute.
    func wait(
        _ what: String, until isDone: ([(node: NodeID, report: EngineReport)]) -> Bool
    ) throws {
        let deadline = Date().addingTimeInterval(60)
        changed.lock()
        defer { changed.unlock() }
        while !isDone(state.withLock { $0.reports }) {
            // Woken by reports; now and then also without one, where `isDone` asks again.
            let soon = min(deadline, Date().addingTimeInterval(0.1))
            if !changed.wait(until: soon), Date() > deadline {
                throw TestFailure(what: "waited for \(what)")
            }
        }
    }

    func waitForServing(_ volume: VolumeID, by instance: InstanceID) throws {
        try wait("the session to serve") { reports in
            reports.contains {
                if case .ownerNotice(volume, instance, .reconciled) = $0.report {
                    true
                } else {
                    false
                }
            }
        }
    }

    func waitForEnd(_ volume: VolumeID, of instance: InstanceID) throws -> OwnerEnd {
        var end: OwnerEnd?
        try wait("the session to end") { reports in
            for entry in reports {
                if case .ownerEnded(volume, instance, let reason) = entry.report { end = reason }
            }
            return end != nil
        }
        return end!
    }

    func notices(of volume: VolumeID) -> [OwnerNotice] {
        state.withLock { state in
            state.reports.compactMap {
                if case .ownerNotice(volume, _, let notice) = $0.report { notice } else { nil }
            }
        }
    }
}

struct TestFailure: Error, CustomStringConvertible {
    let what: String
    var description: String { what }
}
