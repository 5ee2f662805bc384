/// What many runs have seen together.
public struct SimulationReport: Sendable {
    public private(set) var passed = 0
    public private(set) var failures: [SimulationResult] = []
    public private(set) var counts = SimulationCounts()

    public init() {}

    public var runs: Int { passed + failures.count }

    public mutating func add(_ result: SimulationResult) {
        counts.add(result.counts)
        if result.violation == nil { passed += 1 } else { failures.append(result) }
    }
}

extension SimulationCounts {
    mutating func add(_ other: SimulationCounts) {
        for (field, _) in Self.names { self[keyPath: field] += other[keyPath: field] }
    }

    /// Every count with what it counts, for people.
    private static var names: [(WritableKeyPath<SimulationCounts, Int>, String)] {
        [
            (\.events, "events"), (\.acknowledgedWrites, "writes"), (\.reads, "reads"),
            (\.flushes, "flushes"), (\.sessions, "sessions"), (\.kills, "kills"),
            (\.powerLosses, "power losses"), (\.partitions, "partitions"),
            (\.rebuilds, "rebuilds"), (\.promotions, "promotions"),
            (\.reconciledRegions, "reconciled regions"), (\.freedCopies, "freed copies"),
            (\.deletedReplicas, "deleted replicas"), (\.parkings, "parkings"),
            (\.placements, "placements"), (\.aimedFaults, "aimed faults"),
            (\.rottenBlocks, "rotten blocks"), (\.repairs, "repairs"),
        ]
    }

    public var all: [(name: String, count: Int)] {
        Self.names.map { ($0.1, self[keyPath: $0.0]) }
    }
}
