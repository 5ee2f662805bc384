import Replication
import Units

/// What a run of the simulator is made of, all of it decided by the seed and these.
public struct SimulationSettings: Sendable {
    /// Requests of clients before the faults stop.
    public var operations: Int
    public var planted: PlantedFaults
    /// Blocks on drives change by themselves.
    public var rots: Bool
    /// Keep the lines of the story.
    public var isTraced: Bool

    public init(operations: Int = 300, planted: PlantedFaults = [], rots: Bool = true, isTraced: Bool = false) {
        self.operations = operations
        self.planted = planted
        self.rots = rots
        self.isTraced = isTraced
    }
}

/// How a run ended.
public struct SimulationResult: Sendable {
    public var seed: UInt64
    /// What was wrong; nil if nothing was.
    public var violation: String?
    public var trace: [String]
    /// Of everything that happened, in order: two runs of a seed have the same.
    public var digest: UInt64
    public var counts: SimulationCounts
}

/// How much a run has seen: a seed that exercises nothing proves nothing.
public struct SimulationCounts: Sendable {
    public var events = 0
    public var acknowledgedWrites = 0
    public var reads = 0
    public var flushes = 0
    public var sessions = 0
    public var kills = 0
    public var powerLosses = 0
    public var partitions = 0
    public var rebuilds = 0
    public var promotions = 0
    public var reconciledRegions = 0
    public var freedCopies = 0
    public var deletedReplicas = 0
    /// Blocks that changed by themselves on a drive, and ranges repaired from another copy.
    public var rottenBlocks = 0
    public var repairs = 0
    /// Volumes given to another node because their owner's was dead.
    public var parkings = 0
    /// Changes of where copies should lie.
    public var placements = 0
    /// Faults aimed at a sensitive moment.
    public var aimedFaults = 0
}
