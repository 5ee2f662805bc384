import Records
import Units

/// Why a node can take no copy. A later case is nearer to taking one.
public enum PlacementRefusal: Error, Equatable, Comparable, Sendable {
    case unreachable
    case cordoned
    case leaving
    case noDrive(WantedVolume.DriveType)
    case faultyDrive
    case fullDrive
    case noSpace(ByteCount)

    private var rank: Int {
        switch self {
        case .unreachable: 0
        case .cordoned: 1
        case .leaving: 2
        case .noDrive: 3
        case .faultyDrive: 4
        case .fullDrive: 5
        case .noSpace: 6
        }
    }

    public static func < (a: PlacementRefusal, b: PlacementRefusal) -> Bool { a.rank < b.rank }
}

extension PlacementRefusal: CustomStringConvertible {
    /// Reads on from the node's name.
    public var description: String {
        switch self {
        case .unreachable: "is unreachable"
        case .cordoned: "is cordoned"
        case .leaving: "is leaving"
        case .noDrive(let type): "has no \(type.rawValue) drive"
        case .faultyDrive: "has faulty drives only"
        case .fullDrive: "has full drives only"
        case .noSpace(let size): "has no drive with \(size.gigabytes)GB to give"
        }
    }
}

/// Why a volume's copies cannot be placed.
public enum PlacementError: Error, Equatable, Sendable {
    /// Not 1, 2 or 3.
    case badCopies(Int)
    /// Fewer nodes can take a copy than copies are wanted; every other node with its reason.
    case tooFewNodes(copies: Int, able: Int, refusals: [NodeRefusal])
    case unknownNode(NodeID)
    /// Two copies on one node would die together.
    case repeatedNode(name: String)
    /// A node that was asked for by name cannot take a copy.
    case nodeRefuses(NodeRefusal)

    public struct NodeRefusal: Equatable, Sendable {
        public var node: NodeID
        public var name: String
        public var reason: PlacementRefusal

        public init(node: NodeID, name: String, reason: PlacementRefusal) {
            self.node = node
            self.name = name
            self.reason = reason
        }
    }
}

extension PlacementError.NodeRefusal: CustomStringConvertible {
    public var description: String { "\(name) \(reason)" }
}

extension PlacementError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .badCopies(let count):
            return "a volume has 1 to \(SchedulingLimits.copiesMax) copies, not \(count)"
        case .tooFewNodes(let copies, let able, let refusals):
            let reasons = refusals.map(\.description).joined(separator: ", ")
            let nodes = able == 1 ? "1 node" : "\(able) nodes"
            return "\(copies) copies need as many nodes, and only \(nodes) can take one"
                + (reasons.isEmpty ? "" : ": \(reasons)")
        case .unknownNode(let id): return "no node \(id) in this cluster"
        case .repeatedNode(let name): return "node \(name) is named twice: one copy per node"
        case .nodeRefuses(let refusal): return "node \(refusal)"
        }
    }
}
