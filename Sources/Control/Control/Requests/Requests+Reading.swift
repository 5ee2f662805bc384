import API
import Metadata
import Records
import Scheduling
import Units

// Listings and infos.
extension Requests {
    public func nodes() -> NodeList {
        let view = context.view
        return NodeList(nodes: view.nodesByNumber.map { show($0, in: view) })
    }

    public func node(_ selector: String) throws -> API.NodeView {
        let view = context.view
        return show(try node(selector, in: view, for: "Show node \(selector)"), in: view)
    }

    public func volumes(ofNode selector: String?) throws -> VolumeList {
        let view = context.view
        let owner = try selector.map { try node($0, in: view, for: "List volumes").id }
        let shown = view.volumesByNumber
            .filter { owner == nil || ownerNode(of: $0, in: view) == owner }
        return VolumeList(volumes: shown.map { show($0, in: view) })
    }

    public func volume(_ selector: String) throws -> API.VolumeView {
        let view = context.view
        return show(
            try volume(selector, in: view, for: "Show volume \(selector)"), in: view)
    }

    private func show(_ node: NodeRecord, in view: RecordsView) -> API.NodeView {
        let status = view.isAlive(node.id) ? node.duty.rawValue : "maintenance"
        let owned = view.volumesByNumber.filter { ownerNode(of: $0, in: view) == node.id }
        return API.NodeView(
            name: node.name, ip: node.address, port: node.port, nodeid: node.id.short,
            id: node.id.text, role: node.role.rawValue, status: status,
            drives: node.drives.map { drive in
                DriveView(
                    driveid: drive.id.short, device: drive.path, type: drive.type.rawValue,
                    total: drive.total.bytes, free: drive.free.bytes,
                    status: drive.status.rawValue)
            },
            volumes: owned.map(\.name))
    }

    /// Who owns it now; before that, who should.
    func ownerNode(of volume: WantedVolume, in view: RecordsView) -> NodeID? {
        view.statuses[volume.id]?.node ?? volume.wantedOwner
    }

    func show(_ volume: WantedVolume, in view: RecordsView) -> API.VolumeView {
        let record = view.configurations[volume.id]?.record
        let status = view.statuses[volume.id]
        let owner = ownerNode(of: volume, in: view)
        let node = owner.flatMap { view.nodes[$0]?.record }
        let copies = (record?.replicas ?? []).map { show($0, of: volume, in: view) }
        var shown = API.VolumeView(
            vdisk: "vd\(volume.vdisk)", uuid: volume.id.short, id: volume.id.text,
            node: node?.name ?? "", ipaddr: node?.address ?? "",
            nodeid: owner?.short ?? "", name: volume.name, capacity: volume.size.gigabytes,
            redundancy: volume.copies, driveType: volume.driveType.rawValue,
            localDriveOnly: false, provisioning: volume.provision.rawValue,
            minimumIOPS: volume.service.iopsMin, maximumIOPS: volume.service.iopsMax,
            minimumBandwidth: volume.service.bandwidthMin,
            maximumBandwidth: volume.service.bandwidthMax,
            directory: status?.mountPoint, filesystem: volume.filesystem.rawValue,
            labels: volume.labels, allocated: record.flatMap { view.allocated($0)?.bytes },
            epoch: record?.epoch ?? 0, isAttached: status?.isAttached ?? false,
            isMounted: status?.isMounted ?? false, device: status?.device,
            copiesInSync: record?.inSync.count ?? 0, copies: copies,
            wait: wait(of: volume, in: view),
            rebuild: status?.rebuild.map { rebuild in
                RebuildView(
                    to: view.name(of: rebuild.node), drivenBy: view.name(of: status!.node),
                    regionsDone: rebuild.regionsDone, regionsTotal: rebuild.regionsTotal,
                    isLocality: rebuild.isLocality)
            })
        shown.autoexpandEnabled = volume.autoexpand.isEnabled
        shown.autoexpandThreshold = volume.autoexpand.threshold
        shown.autoexpandIncrement = volume.autoexpand.increment
        shown.autoexpandLimit = volume.autoexpand.limit
        shown.autoexpandCount = volume.autoexpand.count
        return shown
    }

    private func show(
        _ replica: ReplicaRecord, of volume: WantedVolume, in view: RecordsView
    ) -> CopyView {
        let node = view.nodes[replica.node]?.record
        let drive = node?.drives.first { $0.id == replica.drive }
        let copy = view.copies[replica.id]
        let rebuild = view.statuses[volume.id]?.rebuild
        let isAlive = view.isAlive(replica.node)
        var state = replica.state == .inSync ? "in sync" : "stale"
        var lacks: String?
        if replica.state == .stale {
            if let rebuild, rebuild.replica == replica.id {
                state = "rebuilding"
                lacks = "\(rebuild.regionsTotal - min(rebuild.regionsDone, rebuild.regionsTotal))"
                    + " of \(rebuild.regionsTotal) regions"
            } else {
                let stamp = copy?.checkpoint ?? .zero
                lacks = replica.isVoid || stamp == .zero
                    ? "everything" : "what was written after \(stamp)"
            }
        }
        if !isAlive {
            state = "away"
            lacks = lacks ?? "nothing, as long as the record lists it"
        }
        return CopyView(
            id: replica.id.text, node: node?.name ?? replica.node.short,
            nodeid: replica.node.short, driveid: replica.drive.short,
            path: drive.map { "\($0.path)/replicas/\(volume.id.text)" }, state: state,
            epoch: copy?.promised, stamp: copy?.checkpoint.description,
            allocated: copy?.allocated.bytes, lacks: lacks)
    }

    private func wait(of volume: WantedVolume, in view: RecordsView) -> WaitView? {
        guard let record = view.configurations[volume.id]?.record else { return nil }
        let status = view.statuses[volume.id]
        let nodes = view.forScheduling(times: context.settings.times) { _ in .zero }.nodes
        if let wait = describeWait(config: record, wanted: volume, nodes: nodes) {
            return WaitView(
                forWhat: wait.what, since: view.waits[volume.id]?.since ?? status?.waitsSince,
                endsWith: wait.endsWith)
        }
        if let status, let what = status.waitsFor {
            return WaitView(
                forWhat: what, since: status.waitsSince, endsWith: status.waitEndsWith ?? "")
        }
        guard record.epoch == 0,
            let missing = record.replicas.first(where: { !view.created.contains($0.id) })
        else { return nil }
        let node = view.name(of: missing.node)
        return WaitView(
            forWhat: "node \(node) to make its copy", since: nil,
            endsWith: "the copy is there, which node \(node) does by itself")
    }
}
