import Metadata
import Records
import Units

/// Everything that the metadata service holds, as of one revision. Reconcilers decide by it, and
/// write by compare-and-swap, so that an old view does no harm.
struct RecordsView: Sendable {
    var revision = Revision.zero
    var cluster: Stored<ClusterRecord>?
    var lead: Stored<LeadRecord>?
    var nodes: [NodeID: Stored<NodeRecord>] = [:]
    var alive: [NodeID: Liveness] = [:]
    var lost: [NodeID: LostNode] = [:]
    var wanted: [VolumeID: Stored<WantedVolume>] = [:]
    var configurations: [VolumeID: Stored<VolumeConfiguration>] = [:]
    var statuses: [VolumeID: VolumeStatus] = [:]
    var waits: [VolumeID: OwnerlessWait] = [:]
    var copies: [ReplicaID: CopyStatus] = [:]
    var tombstones: [ReplicaID: Stored<Tombstone>] = [:]
    /// Replicas of volumes with epoch 0 that exist on their drives.
    var created: Set<ReplicaID> = []

    func isAlive(_ node: NodeID) -> Bool { alive[node] != nil }

    /// As people know the node.
    func name(of node: NodeID) -> String { nodes[node]?.record.name ?? node.short }

    func volume(named name: String) -> Stored<WantedVolume>? {
        wanted.values.first { $0.record.name == name }
    }

    var nodesByNumber: [NodeRecord] {
        nodes.values.map(\.record).sorted { ($0.number, $0.id) < ($1.number, $1.id) }
    }

    var volumesByNumber: [WantedVolume] {
        wanted.values.map(\.record).sorted { ($0.vdisk, $0.id) < ($1.vdisk, $1.id) }
    }
}

extension RecordsView {
    /// Takes over one change. Values that are not what they should be are left out, and named in
    /// the result.
    mutating func apply(_ change: Change) -> MetadataError? {
        do throws(MetadataError) {
            switch change {
            case .put(let entry): try put(entry)
            case .delete(let key, _): remove(key)
            }
            return nil
        } catch {
            remove(change.key)
            return error
        }
    }

    private mutating func put(_ entry: Entry) throws(MetadataError) {
        let key = entry.key
        switch true {
        case key == Keys.cluster: cluster = try Stored(decoding: entry)
        case key == Keys.lead: lead = try Stored(decoding: entry)
        case key.hasPrefix(Keys.nodes): nodes[try id(key)] = try Stored(decoding: entry)
        case key.hasPrefix(Keys.liveness): alive[try id(key)] = try value(entry)
        case key.hasPrefix(Keys.lost): lost[try id(key)] = try value(entry)
        case key.hasPrefix(Keys.wanted): wanted[try id(key)] = try Stored(decoding: entry)
        case key.hasPrefix(Keys.configurations):
            configurations[try id(key)] = try Stored(decoding: entry)
        case key.hasPrefix(Keys.status): statuses[try id(key)] = try value(entry)
        case key.hasPrefix(Keys.waits): waits[try id(key)] = try value(entry)
        case key.hasPrefix(Keys.copies): copies[try id(key)] = try value(entry)
        case key.hasPrefix(Keys.tombstones): tombstones[try id(key)] = try Stored(decoding: entry)
        case key.hasPrefix(Keys.created): created.insert(try id(key))
        default: break
        }
    }

    private mutating func remove(_ key: String) {
        if key == Keys.cluster { cluster = nil }
        if key == Keys.lead { lead = nil }
        guard let id = try? id(key) else { return }
        switch true {
        case key.hasPrefix(Keys.nodes): nodes[id] = nil
        case key.hasPrefix(Keys.liveness): alive[id] = nil
        case key.hasPrefix(Keys.lost): lost[id] = nil
        case key.hasPrefix(Keys.wanted): wanted[id] = nil
        case key.hasPrefix(Keys.configurations): configurations[id] = nil
        case key.hasPrefix(Keys.status): statuses[id] = nil
        case key.hasPrefix(Keys.waits): waits[id] = nil
        case key.hasPrefix(Keys.copies): copies[id] = nil
        case key.hasPrefix(Keys.tombstones): tombstones[id] = nil
        case key.hasPrefix(Keys.created): created.remove(id)
        default: break
        }
    }

    private func value<Record: Decodable & Sendable>(
        _ entry: Entry
    ) throws(MetadataError) -> Record {
        try Stored<Record>(decoding: entry).record
    }

    /// The last part of a key.
    private func id(_ key: String) throws(MetadataError) -> Identifier {
        if let part = key.split(separator: "/").last, let id = Identifier(text: part) { return id }
        throw MetadataError(
            .undecodable, operation: "decode", object: key, cause: "its key ends with no id",
            remedy: "another program wrote it; look at it before changing it")
    }
}
