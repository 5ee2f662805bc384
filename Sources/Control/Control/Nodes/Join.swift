import FoundationEssentials
import Metadata
import Profiles
import Records
import Units

/// Why a node cannot join: one line.
public struct JoinError: Error, Equatable, CustomStringConvertible {
    public var description: String
}

/// Makes a node known to the cluster, and the cluster known at all when it is the first.
///
/// The first three nodes vote: they become sds, backup1 and backup2, in the order in which they
/// join. Joins are put in an order by the cluster's record, which each of them changes.
struct Join {
    let store: any MetadataStore
    let settings: ControlSettings

    /// Throws if the node cannot join, before anything is written.
    func check() async throws {
        try checkName(try await store.records(prefix: Keys.nodes).records.map(\.record))
    }

    /// The cluster; a new one, with the shipped profiles, where there is none.
    func cluster() async throws -> ClusterID {
        let new = ClusterRecord(id: .random(), nodesEver: 0)
        let now = Date().timeIntervalSince1970
        _ = try await store.transaction(Transaction(
            if: [.absent(Keys.cluster)],
            then: [try .put(Keys.cluster, record: new)] + ShippedProfiles.all.map { profile in
                try .put(
                    Keys.profile(profile.name),
                    record: ProfileRecord(name: profile.name, yaml: profile.yaml, since: now))
            }))
        let stored: Stored<ClusterRecord>? = try await store.record(Keys.cluster)
        guard let stored else {
            throw JoinError(description: "the cluster's record has vanished")
        }
        return stored.record.id
    }

    /// The node's record, and whether it is new. Safe to repeat.
    func callAsFunction(drives: [DriveRecord]) async throws -> (node: NodeRecord, isNew: Bool) {
        while true {
            guard let cluster: Stored<ClusterRecord> = try await store.record(Keys.cluster) else {
                throw JoinError(description: "the cluster's record has vanished")
            }
            let nodes = try await store.records(prefix: Keys.nodes, as: NodeRecord.self).records
            try checkName(nodes.map(\.record))
            let known = nodes.first { $0.record.id == settings.node }
            var next = cluster.record
            if known == nil { next.nodesEver += 1 }
            let record = node(
                known?.record, among: nodes.map(\.record), number: next.nodesEver, drives)
            let key = Keys.node(settings.node)
            var operations: [Transaction.Operation] = [try .put(key, record: record)]
            if cluster.record != next { operations.append(try .put(Keys.cluster, record: next)) }
            let result = try await store.transaction(Transaction(
                if: [
                    .unchanged(Keys.cluster, since: cluster.entry),
                    .unchanged(key, since: known?.entry),
                ], then: operations))
            if result.succeeded { return (record, known == nil) }
        }
    }

    private func node(
        _ known: NodeRecord?, among nodes: [NodeRecord], number: Int,
        _ drives: [DriveRecord]
    ) -> NodeRecord {
        var node = known ?? NodeRecord(
            id: settings.node, name: settings.name, address: settings.address.host,
            port: settings.address.port, role: freeRole(nodes), drives: drives,
            number: number)
        node.name = settings.name
        node.address = settings.address.host
        node.port = settings.address.port
        node.drives = drives
        return node
    }

    private func freeRole(_ nodes: [NodeRecord]) -> NodeRecord.Role {
        let taken = nodes.map(\.role)
        return [.sds, .backup1, .backup2].first { !taken.contains($0) } ?? .standard
    }

    private func checkName(_ nodes: [NodeRecord]) throws {
        for node in nodes where node.id != settings.node {
            if node.name == settings.name {
                throw JoinError(description:
                    "the name \(settings.name) is taken by node \(node.id.short);"
                    + " choose another with --name, or use that node's state folder")
            }
            if node.id.short == settings.node.short {
                throw JoinError(description:
                    "the id \(settings.node.short) is taken by node \(node.name);"
                    + " remove this node's node-id file and start it again")
            }
        }
    }
}
