import Records
import Units

/// For what a volume waits, and what would end that: for people.
public struct VolumeWait: Equatable, Sendable {
    /// Reads on from "waits for".
    public var what: String
    /// Reads on from "ends when".
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
    let inSync = config.replicas.filter { $0.state == .inSync }
    if inSync.isEmpty {
        return VolumeWait(what: "a copy in sync: there is none", endsWith: "an operator accepts loss")
    }
    let isAlive = { (id: NodeID) in nodes.contains { $0.record.id == id && $0.isAlive } }
    if !inSync.contains(where: { isAlive($0.node) }) {
        let holders = names(inSync.map(\.node), nodes)
        let copies = inSync.count == 1 ? "the last copy" : "the last copies"
        return VolumeWait(what: "node \(holders) with \(copies)", endsWith: "node \(holders) is back")
    }
    guard let owner = wanted.wantedOwner else {
        return VolumeWait(
            what: "an owner to be named", endsWith: "the node that leads names one, which it does by itself")
    }
    if !isAlive(owner) {
        return VolumeWait(
            what: "a new owner in place of node \(names([owner], nodes))",
            endsWith: "the node that leads names one, which it does by itself")
    }
    return nil
}

/// What a running owner waits for; nil if nothing.
public func describeWait(_ wait: OwnerWait) -> VolumeWait? {
    switch wait {
    case .nothing: nil
    case .record:
        VolumeWait(
            what: "the metadata service to record a change",
            endsWith: "the metadata service answers")
    case .promises(let count):
        VolumeWait(
            what: count == 1 ? "the promise of 1 copy" : "the promises of \(count) copies",
            endsWith: "they answer, or are given up and leave the copies in sync")
    case .reconciliation(let regions):
        VolumeWait(
            what: regions == 1 ? "1 region to be made equal" : "\(regions) regions to be made equal",
            endsWith: "they are copied, which it does by itself")
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
