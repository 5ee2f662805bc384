import API

/// Everything that the REST API offers. `docs/api.yaml` describes the same, and a test holds the
/// two against each other.
enum Endpoint: CaseIterable, Sendable {
    case version, cluster
    case nodes, node
    case volumes, volume, create, update, remove
    case attach, detach, move, rebuild
    case profiles, profile, createProfile, removeProfile
    case events

    var method: String {
        switch self {
        case .version, .cluster, .nodes, .node, .volumes, .volume, .profiles, .profile, .events: "GET"
        case .create, .update, .attach, .detach, .move, .rebuild, .createProfile: "POST"
        case .remove, .removeProfile: "DELETE"
        }
    }

    /// A segment in braces stands for the name of a volume or node.
    var template: String {
        switch self {
        case .version: Routes.version
        case .cluster: Routes.cluster
        case .nodes: Routes.nodes
        case .node: Routes.node("{node}")
        case .volumes, .create: Routes.volumes
        case .volume, .remove: Routes.volume("{volume}")
        case .update: Routes.update("{volume}")
        case .attach: Routes.attach("{volume}")
        case .detach: Routes.detach("{volume}")
        case .move: Routes.move("{volume}")
        case .rebuild: Routes.rebuild("{volume}")
        case .profiles, .createProfile: Routes.profiles
        case .profile, .removeProfile: Routes.profile("{profile}")
        case .events: Routes.events
        }
    }

    /// The names that its query may have.
    var queryNames: [String] {
        switch self {
        case .cluster, .volumes: ["node"]
        case .events: ["n", "follow"]
        default: []
        }
    }

    /// The name in the path, or "" where it has none; nil for another path.
    func match(_ path: String) -> String? {
        let wanted = template.split(separator: "/")
        let given = path.split(separator: "/", omittingEmptySubsequences: false).dropFirst()
        guard wanted.count == given.count else { return nil }
        var name = ""
        for (want, part) in zip(wanted, given) {
            if want.hasPrefix("{") {
                guard !part.isEmpty else { return nil }
                name = String(part)
            } else if want != part {
                return nil
            }
        }
        return name
    }
}
