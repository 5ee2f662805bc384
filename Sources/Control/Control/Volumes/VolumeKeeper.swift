import EngineCommands
import FoundationEssentials
import Logging
import Metadata
import Records
import Units

/// Everything that this node does for one volume as its owner: opens and ends the session, offers
/// device and filesystem, drives rebuilds, and says how things stand.
///
/// It is level-triggered: each ring of its bell makes it look at what is wanted and at what is,
/// and do what is missing. Steps run one after the other; the engine's reports come in between.
actor VolumeKeeper {
    let volume: VolumeID
    let context: NodeContext
    let replicas: ReplicaKeeper
    let bell = Bell()

    var session = OwnerSession.closed
    /// The instance whose session has ended cleanly last.
    var released: InstanceID?
    /// The epoch in which the session began to serve, and the one it is in now.
    var firstEpoch: Epoch = 0
    var epoch: Epoch = 0
    /// Every copy is equal since the session began.
    var isReconciled = false
    /// The owner that this session took over from without being handed the volume.
    var formerOwner: OwnerRecord?
    var formerEpoch: Epoch = 0
    /// That owner's node is dead.
    var isFailover = false

    /// Of the session, as the engine was told; and what it was before it grew, until that is told.
    var size = ByteCount(0)
    var grewFrom: ByteCount?
    /// The size to which the mounted filesystem could not be made to grow.
    var stuckBelow: ByteCount?
    /// When the filesystem's use is looked at next.
    var looksAt = ContinuousClock.now
    /// As the engine was told last.
    var limits = ServiceLevel.unlimited

    var frontEnd = FrontEnd()
    /// A device from before this process, while its I/O has to wait (VolumeKeeper+Kept.swift).
    var kept: KeptDevice?
    /// The front end is being taken away.
    var isTakingDown = false
    /// Somebody else owns the volume: the front end has to go, whoever uses it.
    var isDeposed = false
    /// Why the session was lost is not known yet: until it is, none is opened.
    var isLossOpen = false
    /// Clients have been given the volume's raw content in this session.
    var wasOfferedRaw = false
    /// Since when another node's engine waits for users here to end, and when they are looked at
    /// next.
    var isAwaitedSince: ContinuousClock.Instant?
    var looksAtUsersAt = ContinuousClock.now
    /// Network clients use the volume.
    var exportClients = false
    /// Network clients that wait for it.
    var exportsPending = 0
    var isAnnounced = false
    /// The epoch at which a copy refused us while the record stood below it (rule 21).
    var stoppedBy: Epoch?
    private var isStepping = false
    /// The node ends.
    var isStopping = false
    var stopDeadline: ContinuousClock.Instant?
    /// At the node's end devices stay, for its next `ciod`.
    var leavesDevices = false

    var rebuild = RebuildState()
    /// Where the session's replicas lie, those that have been dropped too.
    var places: [ReplicaID: NodeID] = [:]
    var status = StatusState()
    /// A failed attachment is told once, until something else happens.
    var toldFailure: String?

    init(
        volume: VolumeID, context: NodeContext, replicas: ReplicaKeeper, kept: KeptDevice? = nil
    ) {
        self.volume = volume
        self.context = context
        self.replicas = replicas
        self.kept = kept
    }

    func run() async {
        context.board.add(bell)
        context.liveness.add(bell)
        bell.ring()
        await bell.forEachRing { await step() }
        context.board.remove(bell)
        context.liveness.remove(bell)
    }

    var name: String { context.name(of: volume) }

    /// Nothing is held: no session, and no front end but what is left to the next `ciod`.
    var isIdle: Bool {
        session == .closed && !frontEnd.isClosing && (hasLeft || !frontEnd.isThere && kept == nil)
    }
    /// A device stays here though the node ends.
    var hasLeft: Bool { frontEnd.isLeft || kept != nil && isStopping && leavesDevices }
    /// Nobody would miss this keeper.
    var canGo: Bool {
        isIdle && !isStepping && !isLossOpen && status.published == nil && exportsPending == 0
    }

    private func step() async {
        isStepping = true
        defer { isStepping = false }
        let view = context.view
        guard view.cluster != nil else { return }
        let wanted = view.wanted[volume]?.record
        showRecord(of: view)
        do {
            if isDeposed { try await clearAfterLoss() }
            try await judgeKept(wanted, in: view)
            if let wanted, wantsSession(wanted) || goesOn(wanted, in: view) {
                try await serve(wanted, in: view)
            } else {
                try await leave(wanted, in: view)
            }
            toldFailure = nil
        } catch {
            await stepFailed(error)
        }
        await publishStatus()
    }

    /// A session that is not the recorded owner's may have nobody left who could refuse it.
    private func showRecord(of view: RecordsView) {
        guard let instance = session.instance,
            let record = view.configurations[volume]?.record,
            record.epoch > epoch, record.owner?.instance != instance
        else { return }
        context.engine.send(.recordSeen(record, instance: instance))
    }

    private func stepFailed(_ error: any Error) async {
        context.logger.warning("\(name): \(error)")
        bell.ring(after: context.settings.times.retry)
        guard let error = error as? AttachError, toldFailure != error.description else { return }
        toldFailure = error.description
        await context.event(
            .cannotAttach, "\(name) cannot be attached on node \(context.node.short): \(error)")
    }

    private func wantsSession(_ wanted: WantedVolume) -> Bool {
        wanted.wantedOwner == context.node && !wanted.isDeleting && !isStopping
            && stoppedBy == nil
    }

    private func serve(_ wanted: WantedVolume, in view: RecordsView) async throws {
        isAwaitedSince = nil
        switch session {
        case .closed: try await open(wanted, in: view)
        case .opening, .closing: break
        case .serving:
            if wanted.size != size { return closeToGrow() }
            if wanted.service != limits { limit(to: wanted.service) }
            try await attach(wanted)
            takeRebuildStep(wanted, in: context.view)
        }
    }

    /// Ends everything here that is not wanted here any more.
    private func leave(_ wanted: WantedVolume?, in view: RecordsView) async throws {
        if let wanted, exportClients, !isStopping, !wanted.isDeleting, stoppedBy == nil {
            return try await stayAttached()
        }
        if isStopping, leavesDevices { leaveDevice() }
        if frontEnd.isThere, !frontEnd.isLeft {
            do {
                try await takeDown()
            } catch is DiskInUse {
                if isStopping { return try await takeDownWhileStopping() }
                guard try await isTakenFromUsers(wanted) else { return }
            }
        }
        guard !frontEnd.isClosing else { return }
        switch session {
        case .opening(let instance), .serving(let instance):
            session = .closing(instance)
            context.engine.send(.closeOwner(volume, instance: instance))
        case .closed, .closing: break
        }
    }

    /// The node ends: whoever uses the volume has a few seconds more.
    private func takeDownWhileStopping() async throws {
        let deadline = stopDeadline ?? .now
        guard ContinuousClock.now < deadline else { return try await forceDown() }
        bell.ring(after: .milliseconds(200))
    }

    /// A volume that is open stays where it is: the order to leave is taken back.
    func stayAttached() async throws {
        let node = context.node
        let isMounted = frontEnd.mountPoint != nil
        let isExportOnly = !frontEnd.isThere
        var isTakenBack = false
        // Only the recorded owner may: one that was silent for long finds its volume elsewhere, and
        // not on order.
        let isOwner = try await updateAsOwner { record in
            isTakenBack = !record.isDeleting && record.attachTo != node
            guard isTakenBack else { return false }
            record.attachTo = node
            record.mount = isMounted
            record.isExportOnly = isExportOnly
            return true
        }
        guard isOwner, isTakenBack else { return }
        await context.event(
            .volumeIsOpen, "\(name) stays on node \(node.short): vdisk is opened")
    }
}

// The end of the node.
extension VolumeKeeper {
    /// Detaches and gives the volume back; `isIdle` tells when that is done.
    func stop(by deadline: ContinuousClock.Instant, leavingDevices: Bool) {
        isStopping = true
        stopDeadline = deadline
        leavesDevices = leavingDevices
        bell.ring()
    }
}
