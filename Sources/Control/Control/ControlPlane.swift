import EngineCommands
import Logging
import Metadata
import Records
import Units

/// This node's membership in the cluster: made before the engine, which has to know the cluster.
public struct Membership: Sendable {
    public let cluster: ClusterID
    public let node: NodeRecord
    let isNew: Bool
    let liveness: LivenessKeeper

    /// Says that the node lives, and makes it known. `ControlPlane.run` has to follow within the
    /// liveness time.
    ///
    /// - Parameter drives: takes the node's drives into use for the cluster.
    public static func begin(
        settings: ControlSettings, store: any MetadataStore, logger: Logger,
        drives: (ClusterID) async throws -> [DriveRecord]
    ) async throws -> Membership {
        let liveness = LivenessKeeper(store: store, settings: settings, logger: logger)
        let join = Join(store: store, settings: settings)
        try await join.check()
        let cluster = try await join.cluster()
        let records = try await drives(cluster)
        try await liveness.begin()
        let joined = try await join(drives: records)
        return Membership(
            cluster: cluster, node: joined.node, isNew: joined.isNew, liveness: liveness)
    }
}

/// Control of one node: it changes what is wanted in the metadata service, and makes this node
/// follow what is wanted of it.
public actor ControlPlane {
    nonisolated let context: NodeContext
    private let membership: Membership
    private let replicas: ReplicaKeeper
    private let lead: LeadKeeper
    private let bell = Bell()
    private var keepers: [VolumeID: (keeper: VolumeKeeper, task: Task<Void, Never>)] = [:]
    /// Devices from before this process whose keepers have yet to be made.
    private var kept: [VolumeID: KeptDevice] = [:]
    private var addresses: [NodeID: SocketAddress] = [:]
    private var exportNames: [String] = []
    /// The owners of volumes, and the epochs in which they were first seen to be.
    private var claims: [VolumeID: (owner: InstanceID, epoch: Epoch)] = [:]
    /// What was told once and would be told again and again.
    private var told: Set<Told> = []
    private var fillLevels: [DriveID: FillLevel] = [:]

    private enum Told: Hashable {
        case lockout(VolumeID, Epoch)
        case mismatch(ReplicaID, region: UInt64)
    }
    private static let toldMax = 1_000

    public init(
        settings: ControlSettings, membership: Membership, store: any MetadataStore,
        engine: any EnginePort, storage: any NodeStorage, devices: any NodeDevices,
        logger: Logger
    ) {
        let board = ViewBoard(store: store, retry: settings.times.retry, logger: logger)
        self.membership = membership
        context = NodeContext(
            settings: settings, store: store, engine: engine, storage: storage,
            devices: devices, board: board,
            events: EventWriter(
                store: store, node: settings.node, retry: settings.times.retry, logger: logger),
            liveness: membership.liveness, failovers: FailoverNotes(), logger: logger)
        replicas = ReplicaKeeper(context: context)
        lead = LeadKeeper(context: context)
    }

    /// What the REST API asks.
    public nonisolated var requests: Requests { Requests(context: context, plane: self) }

    /// Does everything until the task is cancelled. Call `stop` first for a clean end.
    public func run() async {
        await tellStart()
        await withTaskGroup(of: Void.self) { group in
            let (board, liveness) = (context.board, context.liveness)
            group.addTask { await board.run() }
            group.addTask { await liveness.run() }
            group.addTask { [replicas] in await replicas.run() }
            group.addTask { [lead] in await lead.run() }
            group.addTask { await self.followReports() }
            group.addTask { await self.survey() }
            group.addTask { await self.follow() }
        }
        for entry in keepers.values { entry.task.cancel() }
    }

    private func tellStart() async {
        let left = await context.devices.recover()
        kept = Dictionary(left.kept.map { ($0.volume, $0) }) { first, _ in first }
        for failure in left.failures { await context.toldLeftover(failure) }
        let node = membership.node
        if membership.isNew {
            await context.event(
                .nodeJoined, "node \(node.name) (\(node.id.short)) joined as"
                    + " \(node.role.rawValue)")
        }
        if context.settings.isInsecureNetwork {
            await context.event(
                .insecureNetwork, "node \(node.id.short) listens on \(node.address) without"
                    + " authentication: whoever reaches it can read and write volumes")
        }
    }

    /// Makes keepers for the volumes that are this node's, and tells the engine of nodes.
    private func follow() async {
        context.board.add(bell)
        bell.ring()
        await bell.forEachRing {
            let view = context.view
            tellAddresses(view)
            noteClaims(view)
            for wanted in view.wanted.values where wanted.record.wantedOwner == context.node {
                _ = keeper(of: wanted.record.id)
            }
            // Those that are not this node's any more have to go.
            if view.cluster != nil { for volume in kept.keys { _ = keeper(of: volume) } }
            await dropIdleKeepers(view)
        }
    }

    func keeper(of volume: VolumeID) -> VolumeKeeper {
        if let present = keepers[volume] { return present.keeper }
        let keeper = VolumeKeeper(
            volume: volume, context: context, replicas: replicas,
            kept: kept.removeValue(forKey: volume))
        keepers[volume] = (keeper, Task { await keeper.run() })
        return keeper
    }

    func isKept(_ keeper: VolumeKeeper) -> Bool { keepers[keeper.volume]?.keeper === keeper }

    private func dropIdleKeepers(_ view: RecordsView) async {
        for (volume, entry) in keepers
        where view.wanted[volume]?.record.wantedOwner != context.node {
            guard await entry.keeper.canGo else { continue }
            entry.task.cancel()
            entry.keeper.bell.ring()
            keepers[volume] = nil
        }
    }

    private func tellAddresses(_ view: RecordsView) {
        for node in view.nodes.values.map(\.record) where node.id != context.node {
            let address = SocketAddress(host: node.address, port: node.port)
            guard addresses[node.id] != address else { continue }
            addresses[node.id] = address
            context.engine.send(.nodeAddress(node.id, address))
        }
        for id in addresses.keys where view.nodes[id] == nil {
            addresses[id] = nil
            context.engine.send(.nodeAddress(id, nil))
        }
        let names = view.volumesByNumber.filter { !$0.isDeleting }.map(\.name)
        guard names != exportNames else { return }
        exportNames = names
        context.engine.send(.exportNames(names))
    }

    private func noteClaims(_ view: RecordsView) {
        for (volume, stored) in view.configurations {
            guard let owner = stored.record.owner?.instance, claims[volume]?.owner != owner
            else { continue }
            claims[volume] = (owner, stored.record.epoch)
        }
        claims = claims.filter { view.configurations[$0.key] != nil }
    }

    /// Warns once at each of 70, 80 and 90 % full, and again after it was below.
    private func tellFilling(_ drives: [DriveRecord]) async {
        for drive in drives where drive.total.bytes > 0 {
            let level = FillLevel(of: drive)
            let before = fillLevels.updateValue(level, forKey: drive.id) ?? .fine
            guard level > before else { continue }
            await context.event(
                .driveFilling, "drive \(drive.path) of node \(context.node.short) is"
                    + " \(level.rawValue) % full")
        }
    }

    /// Looks from time to time at what nothing reports.
    private func survey() async {
        while !Task.isCancelled {
            await replicas.survey()
            await context.devices.checkKept()
            do {
                let drives = await context.storage.drives()
                await tellFilling(drives)
                try await context.store.update(
                    Keys.node(context.node), as: NodeRecord.self
                ) { record in
                    guard var record, record.drives != drives else { return nil }
                    record.drives = drives
                    return record
                }
            } catch {
                context.logger.warning("drives of this node: \(error)")
            }
            try? await Task.sleep(for: context.settings.times.survey)
        }
    }
}

// The engine's reports.
extension ControlPlane {
    private func followReports() async {
        for await report in context.engine.reports { await take(report) }
    }

    private func take(_ report: EngineReport) async {
        switch report {
        case .changeConfiguration(let volume, _, _), .ownerNotice(let volume, _, _),
            .ownerEnded(let volume, _, _), .exportIdle(let volume),
            .frontEndClosed(let volume):
            await keepers[volume]?.keeper.take(report)
        case .replicaClosed(_, let replica):
            await replicas.replicaClosed(replica)
        case .replicaFailed(let volume, let replica, let why):
            await context.event(
                .replicaFailed, "\(context.name(of: volume)): copy \(replica.short) on node"
                    + " \(context.node.short) failed: \(why)")
        case .oldOwnerRefused(let volume, _, let epoch, let promised):
            // An owner's own requests may be overtaken by its next epoch.
            guard epoch < claims[volume]?.epoch ?? 0, isNews(.lockout(volume, epoch)) else {
                return
            }
            await context.event(
                .lockedOut, "\(context.name(of: volume)): old owner refused by the copy on node"
                    + " \(context.node.short), epoch \(epoch) to \(promised)")
        case .checksumMismatch(let volume, let replica, let offset):
            guard isNews(.mismatch(replica, region: Geometry.region(of: offset))) else { return }
            await context.event(
                .checksumMismatch, "\(context.name(of: volume)): copy \(replica.short) on node"
                    + " \(context.node.short) does not match its checksum at byte \(offset)")
        case .exportWanted(let token, let name):
            Task { await answerExport(token, name) }
        case .stopped, .replicaOpened, .nodeHeard, .nodeSilent: break
        }
    }

    private func isNews(_ news: Told) -> Bool {
        if told.count >= Self.toldMax { told = [] }
        return told.insert(news).inserted
    }
}

// The end.
extension ControlPlane {
    /// Detaches everything, gives volumes and liveness back, and stops the engine; then `run` may
    /// be cancelled. Whoever uses a volume has `grace`.
    ///
    /// With `leavingDevices` devices stay instead, their I/O waits, and the node counts as alive
    /// until its lease has run out: its next `ciod` goes on with them, or another node takes the
    /// volumes over.
    public func stop(leavingDevices: Bool = false, grace: Duration = .seconds(5)) async {
        await context.event(.nodeWillExit, "ID \(context.node.short) node will exit")
        let deadline = ContinuousClock.now + grace
        for entry in keepers.values {
            await entry.keeper.stop(by: deadline, leavingDevices: leavingDevices)
        }
        await waitUntil(deadline + .seconds(5)) {
            for entry in self.keepers.values {
                guard await entry.keeper.isIdle else { return false }
            }
            return true
        }
        await context.engine.stop()
        await context.events.flush(atMost: .seconds(2))
        var hasLeft = leavingDevices && !kept.isEmpty
        for entry in keepers.values where await entry.keeper.hasLeft { hasLeft = true }
        if hasLeft { await context.liveness.leave() } else { await context.liveness.end() }
    }

    private func waitUntil(
        _ deadline: ContinuousClock.Instant, _ condition: () async -> Bool
    ) async {
        while await !condition(), ContinuousClock.now < deadline {
            try? await Task.sleep(for: .milliseconds(20))
        }
    }
}
