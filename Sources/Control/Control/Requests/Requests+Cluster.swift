import API
import Metadata
import Records
import Scheduling
import Units

// The cluster as a whole.
extension Requests {
    public func cluster(node selector: String?) async throws -> ClusterInfo {
        let service = MetadataServiceInfo(await context.store.standing())
        let view = context.view
        let one = try selector.map { try node($0, in: view, for: "Show the cluster") }
        let nodes = one.map { [$0] } ?? view.nodesByNumber
        let drives = nodes.flatMap(\.drives)
        let reported = Set(drives.map(\.id))
        let total = drives.reduce(0) { $0 + $1.total.bytes }
        let free = drives.reduce(0) { $0 + $1.free.bytes }
        let losses = nodeLosses(in: view)
        let (condition, reasons) = condition(in: view, losses, service)
        // An owner keeps what its volumes were promised.
        let volumes = view.volumesByNumber.filter { volume in
            one == nil || ownerNode(of: volume, in: view) == one?.id
        }
        return ClusterInfo(
            domain: view.cluster?.record.id.short ?? "",
            nodes: ClusterInfo.NodeCounts(
                total: nodes.count, online: nodes.count { view.isAlive($0.id) }),
            vdisks: volumes.count,
            ssds: drives.count { $0.type == .ssd }, hdds: drives.count { $0.type == .hdd },
            capacity: ClusterInfo.Capacity(
                total: total, used: total - min(free, total), free: free,
                provisioned: provisioned(on: reported, in: view)),
            iops: sum(of: volumes) { $0.iopsMin }, bandwidth: sum(of: volumes) { $0.bandwidthMin },
            condition: condition, reasons: reasons, nodeLoss: losses, metadataService: service,
            engine: EngineInfo(kind: context.engine.kind, missing: context.engine.missing))
    }

    private func provisioned(on drives: Set<DriveID>, in view: RecordsView) -> UInt64 {
        var sum: UInt64 = 0
        for volume in view.wanted.values.map(\.record) {
            let replicas = view.configurations[volume.id]?.record.replicas ?? []
            let copies = UInt64(replicas.count { drives.contains($0.drive) })
            sum &+= volume.size.bytes &* copies
        }
        return sum
    }

    private func sum(
        of volumes: [WantedVolume], _ promise: (ServiceLevel) -> UInt64?
    ) -> ClusterInfo.Promised {
        // At most `ServiceLevel.most` each.
        ClusterInfo.Promised(
            provisioned: volumes.reduce(0) { $0 + (promise($1.service) ?? 0) })
    }

    private func nodeLosses(in view: RecordsView) -> [ClusterInfo.NodeLoss] {
        let report = survivesLossOfAnyNode(
            view.forScheduling(times: context.settings.times) { _ in .zero })
        return view.nodesByNumber.filter { view.isAlive($0.id) }.map { node in
            let problem = report.problems.first { $0.node == node.id }
            return ClusterInfo.NodeLoss(
                node: node.name, canBeRebuilt: problem == nil, why: problem?.description)
        }
    }

    /// An alert: a volume cannot be used. A warning: something is less safe than wanted.
    private func condition(
        in view: RecordsView, _ losses: [ClusterInfo.NodeLoss], _ service: MetadataServiceInfo
    ) -> (String, [String]) {
        var alerts: [String] = []
        var warnings: [String] = []
        if !service.isReachable {
            warnings.append("the metadata service does not answer: what changes a record waits")
        }
        for endpoint in service.endpoints where service.isReachable && !endpoint.isReachable {
            warnings.append("\(endpoint.address) of the metadata service does not answer")
        }
        for volume in view.volumesByNumber where !volume.isDeleting {
            let shown = show(volume, in: view)
            let inSync = shown.copies.count { $0.state == "in sync" }
            if inSync == 0 {
                alerts.append("volume \(volume.name) has no copy in sync that can be reached")
            } else if inSync < volume.copies {
                warnings.append(
                    "volume \(volume.name) has \(inSync) of \(volume.copies) copies in sync")
            }
        }
        for node in view.nodesByNumber {
            if !view.isAlive(node.id) { warnings.append("node \(node.name) is unreachable") }
            for drive in node.drives where drive.status == .faulty {
                warnings.append("drive \(drive.path) of node \(node.name) is faulty")
            }
            for drive in node.drives where FillLevel(of: drive) > .fine {
                let level = FillLevel(of: drive)
                let line = "drive \(drive.path) of node \(node.name) is over"
                    + " \(level.rawValue) % full"
                if level == .alarming { alerts.append(line) } else { warnings.append(line) }
            }
        }
        warnings += losses.compactMap(\.why)
        if !alerts.isEmpty { return ("alert", alerts + warnings) }
        return warnings.isEmpty ? ("Normal", []) : ("warning", warnings)
    }
}

extension MetadataServiceInfo {
    fileprivate init(_ standing: StoreStanding) {
        self.init(
            kind: standing.kind.rawValue, isReachable: standing.isReachable,
            endpoints: standing.endpoints.map {
                Endpoint(address: $0.address, isReachable: $0.isReachable, role: $0.role)
            })
    }
}
