import Records
import Units

/// Where a volume stands as seen from this node: from what the node knows, without asking anybody.
public struct VolumeStanding: Equatable, Sendable {
    /// 32 hex digits.
    public var id: String
    public var name: String
    /// The number of `vdN`.
    public var vdisk: Int
    /// The node where the volume is attached, or is being attached; nil while it is detached.
    public var attachedTo: String?
    /// That node is this one.
    public var isWantedHere: Bool
    /// Another node has taken it over, and it is not wanted here any more.
    public var isElsewhere: Bool
    /// Of this node; nil while it is not mounted here.
    public var mountPoint: String?
    public var device: String?
    public var sizeGB: UInt64
    public var copies: Int
    public var copiesInSync: Int
    public var filesystem: String
    /// For what it waits, if it does.
    public var waitsFor: String?
}

extension Requests {
    /// Whether this node has read the cluster's records since it started.
    public var isInformed: Bool { context.view.cluster != nil }

    /// Returns as soon as it has, or after `limit`.
    public func waitUntilInformed(atMost limit: Duration) async {
        guard !isInformed else { return }
        _ = try? await context.board.wait(atMost: limit) { $0.cluster != nil ? true : nil }
    }

    /// Every volume but those that are being removed, by their numbers.
    public func standings() -> [VolumeStanding] {
        let view = context.view
        return view.volumesByNumber.filter { !$0.isDeleting }.map { standing(of: $0, in: view) }
    }

    public func standing(named name: String) -> VolumeStanding? {
        let view = context.view
        guard let volume = view.volume(named: name)?.record, !volume.isDeleting else { return nil }
        return standing(of: volume, in: view)
    }

    public func standing(id: String) -> VolumeStanding? {
        let view = context.view
        guard let id = VolumeID(text: id), let volume = view.wanted[id]?.record,
            !volume.isDeleting
        else { return nil }
        return standing(of: volume, in: view)
    }

    private func standing(of volume: WantedVolume, in view: RecordsView) -> VolumeStanding {
        let here = context.node
        let status = view.statuses[volume.id]
        let record = view.configurations[volume.id]?.record
        let owner = record?.owner?.node
        return VolumeStanding(
            id: volume.id.text, name: volume.name, vdisk: volume.vdisk,
            attachedTo: volume.attachTo.map { view.name(of: $0) },
            isWantedHere: volume.attachTo == here,
            isElsewhere: volume.attachTo != here && owner != nil && owner != here,
            mountPoint: status?.node == here ? status?.mountPoint : nil,
            device: status?.node == here ? status?.device : nil,
            sizeGB: volume.size.gigabytes, copies: volume.copies,
            copiesInSync: record?.inSync.count ?? 0, filesystem: volume.filesystem.rawValue,
            waitsFor: status?.waitsFor)
    }
}
