import ArgumentParser
import Replication

/// `A..B`, both included.
struct SeedRange: ExpressibleByArgument {
    let bounds: ClosedRange<UInt64>

    init?(argument: String) {
        let parts = argument.split(separator: "..", omittingEmptySubsequences: false)
        guard parts.count == 2, let first = UInt64(parts[0]), let last = UInt64(parts[1]),
            first <= last, last - first < UInt64(Int.max)
        else { return nil }
        bounds = first...last
    }
}

/// One planted fault by its name, or all of them.
enum PlantedChoice: ExpressibleByArgument {
    case one(PlantedFault)
    case all

    init?(argument: String) {
        if argument == "all" {
            self = .all
        } else if let fault = PlantedFault.all.first(where: { $0.name == argument }) {
            self = .one(fault)
        } else {
            return nil
        }
    }

    static var allValueStrings: [String] { PlantedFault.all.map(\.name) + ["all"] }
}
