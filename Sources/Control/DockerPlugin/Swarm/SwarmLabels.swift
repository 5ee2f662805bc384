import Control

/// What the label `cio` of each node of a Swarm should be.
///
/// True where a `ciod` lives; false where the cluster knows a node that has been silent for long. A
/// Swarm takes tasks away from a node that does not fit their constraints any more, so a `ciod` that
/// is restarted must not be noticed. A node that the cluster does not know gets its label only
/// while it has none: were there two clusters in one Swarm, they would fight for it.
struct SwarmLabels {
    /// When each Swarm node was first seen without its `ciod`, without a pause: seconds since boot.
    private var silentSince: [String: Double] = [:]

    struct Change: Equatable {
        var node: SwarmNode
        var value: Bool
    }

    /// - Parameter now: seconds since boot.
    mutating func changes(in match: SwarmMatch, now: Double) -> [Change] {
        var silent: [String: Double] = [:]
        var changes: [Change] = []
        for node in match.nodes {
            let member = match.member(of: node)
            if member?.isAlive ?? false {
                if node.label != "true" { changes.append(Change(node: node, value: true)) }
                continue
            }
            let since = silentSince[node.id] ?? now
            silent[node.id] = since
            let isDue = now - since >= Double(Limits.labelPatience.components.seconds)
            let isOurs = member != nil || node.label == nil
            if isDue, isOurs, node.label != "false" {
                changes.append(Change(node: node, value: false))
            }
        }
        silentSince = silent
        return changes
    }
}
