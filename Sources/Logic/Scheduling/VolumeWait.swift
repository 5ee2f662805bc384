import Records
import Units

/// For what a volume waits, and what would end that: for people.
public struct VolumeWait: Equatable, Sendable {
    /// Reads on from "waits for".
    public var what: String
    /// Reads on from "until".
    public var endsWith: String

    public init(what: String, endsWith: String) {
        self.what = what
        self.endsWith = endsWith
    }
}

/// Why a volume cannot be served as things stand; nil if nothing is in its way.
///
/// - Parameter nodes: by number.
public func describeWait(
    config: VolumeConfiguration, wanted: WantedVolume, nodes: [NodeView]
) -> VolumeWait? {
    if wanted.isDeleting { return nil }
    let holders = config.replicas.filter { $0.state == .inSync }.map(\.node)
    if holders.isEmpty {
        return VolumeWait(
            what: "a copy in sync: there is none", endsWith: "an operator accepts loss")
    }
    let isAlive = { (id: NodeID) in nodes.contains { $0.record.id == id && $0.isAlive } }
    if !holders.contains(where: isAlive) {
        let copies = holders.count == 1 ? "the last copy" : "the last copies"
        let names = names(holders, nodes)
        return VolumeWait(what: "node \(names) with \(copies)", endsWith: "node \(names) is back")
    }
    if let owner = wanted.wantedOwner {
        if isAlive(owner) { return nil }
        return VolumeWait(
            what: "a new owner in place of node \(names([owner], nodes))",
            endsWith: "the node that leads has named one")
    }
    return VolumeWait(what: "an owner", endsWith: "the node that leads has named one")
}

/// Why a volume that is served has fewer copies than it should and none can be made now; nil if
/// nothing is missing, or if what is missing is on its way.
///
/// - Parameter nodes: by number.
public func describeShortage(
    config: VolumeConfiguration, wanted: WantedVolume, nodes: [NodeView],
    provisioned: Provisioning = Provisioning()
) -> VolumeWait? {
    if wanted.isDeleting { return nil }
    let table = NodeTable(nodes, rebuildDelay: Span(nanoseconds: .max))
    let present = config.replicas.filter { table.state(of: $0.place) == .present }
    let whole = present.count { $0.state == .inSync }
    let coming = wanted.placement.filter { place in
        table.state(of: place) == .present
            && !present.contains { $0.place == place && $0.state == .inSync }
    }
    if whole == 0 || whole + coming.count >= wanted.copies { return nil }
    let demand = CopyDemand(wanted)
    var reasons: [String] = []
    for node in nodes where !present.contains(where: { $0.node == node.record.id }) {
        switch node.room(for: demand, provisioned) {
        case .success: return nil
        case .failure(let refusal): reasons.append("\(node.record.name) \(refusal)")
        }
    }
    let away = wanted.placement.map(\.node).filter { !table.isAlive($0) }
    let back = away.isEmpty ? "" : "node \(names(away, nodes)) is back or "
    return VolumeWait(
        what: "a node for copy \(whole + coming.count + 1) of \(wanted.copies)"
            + (reasons.isEmpty ? "" : ": " + reasons.joined(separator: ", ")),
        endsWith: back + "another node can take one")
}

/// What a running owner waits for; nil if nothing.
public func describeWait(_ wait: OwnerWait) -> VolumeWait? {
    switch wait {
    case .nothing: nil
    case .record:
        VolumeWait(what: "the metadata service to record a change", endsWith: "it answers")
    case .promises(let count):
        VolumeWait(
            what: count == 1 ? "the promise of 1 copy" : "the promises of \(count) copies",
            endsWith: "they answer or are given up")
    case .reconciliation(let count):
        VolumeWait(
            what: count == 1 ? "1 region to be made equal" : "\(count) regions to be made equal",
            endsWith: "they are copied")
    }
}

/// `v2`, `v2 or v4`, `v2, v3 or v4`; a node that is not known any more by its id.
private func names(_ ids: [NodeID], _ nodes: [NodeView]) -> String {
    let known = nodes.filter { ids.contains($0.record.id) }.map(\.record.name)
    let unknown = ids.filter { id in !nodes.contains { $0.record.id == id } }.map(\.short)
    let all = known + unknown
    guard let last = all.last, all.count > 1 else { return all.first ?? "" }
    return all.dropLast().joined(separator: ", ") + " or " + last
}
