import EngineCommands
import Metadata
import Records
import Units

// Opening the owner's session, and what the engine tells of it.
extension VolumeKeeper {
    /// Opens a session unless the present owner lives and has still to let go.
    func open(_ wanted: WantedVolume, in view: RecordsView) async throws {
        guard let record = view.configurations[volume]?.record,
            !isLossOpen, context.liveness.lease != nil, mayOpen(record, in: view),
            // Our own release is recorded already, and the view has still to show it.
            record.released || record.owner == nil || record.owner?.instance != released
        else { return }
        // The claim stands before the session: others wait for who has a claim, and lives.
        guard try await claim() else { return }
        let instance = InstanceID.random()
        session = .opening(instance)
        firstEpoch = 0
        isReconciled = false
        wasOfferedRaw = false
        rebuild = RebuildState()
        places = [:]
        remember(record.replicas)
        formerOwner = record.released ? nil : record.owner
        formerEpoch = record.epoch
        isFailover = formerOwner.map { !view.isAlive($0.node) } ?? false
        context.engine.send(
            .openOwner(record, instance: instance, sizeBytes: wanted.size.bytes))
        size = wanted.size
        limit(to: wanted.service)
    }

    /// A volume grows between two sessions: clients' requests wait for the next one, and each copy
    /// grows when it is opened for that.
    func closeToGrow() {
        guard let instance = session.instance else { return }
        grewFrom = size
        session = .closing(instance)
        context.engine.send(.closeOwner(volume, instance: instance))
    }

    /// Known to the engine from the session's first request on, and whenever it is changed.
    func limit(to service: ServiceLevel) {
        limits = service
        context.engine.send(.limit(volume, service))
    }

    private func remember(_ replicas: [ReplicaRecord]) {
        for replica in replicas { places[replica.id] = replica.node }
    }

    private func mayOpen(_ record: VolumeConfiguration, in view: RecordsView) -> Bool {
        if record.epoch == 0 {
            return record.replicas.allSatisfy { view.created.contains($0.id) }
        }
        guard !record.released, let owner = record.owner, owner.node != context.node else {
            return true
        }
        guard view.isAlive(owner.node) else {
            if let from = context.liveness.judgesFrom, .now < from { bell.ring(after: from - .now) }
            return context.liveness.mayJudge
        }
        // Its node lives; without a status it has no session that could be handed over.
        return view.statuses[volume]?.node != owner.node
    }

    func take(_ report: EngineReport) async {
        switch report {
        case .changeConfiguration(_, let instance, let change):
            guard instance == session.instance else { return }
            remember(change.proposed.replicas)
            Task { await recordChange(change, for: instance) }
        case .ownerNotice(_, let instance, let notice):
            guard instance == session.instance else { return }
            await noticed(notice)
        case .ownerEnded(_, let instance, let end):
            guard instance == session.instance else { return }
            await ended(end)
        case .exportIdle:
            exportClients = false
        case .frontEndClosed:
            // Nobody serves it any more: nothing may wait for it.
            if let disk = frontEnd.disk, !frontEnd.isClosing, !frontEnd.isEnding { fail(disk) }
            frontEnd.isClosing = false
        default: break
        }
        bell.ring()
    }

    private func ended(_ end: OwnerEnd) async {
        let wasServing = firstEpoch > 0
        let ending = session.instance
        session = .closed
        rebuild = RebuildState()
        switch end {
        case .released: released = ending
        case .lostWrites:
            await context.event(
                .unflushedWritesLost, "\(name): every copy in sync has lost power; writes that"
                    + " were not flushed may be lost, and clients are told so by errors")
        case .deposed(let refusing):
            isDeposed = true
            isLossOpen = true
            exportClients = false
            // From now on everything that waits for the device fails; nothing hangs.
            if let disk = frontEnd.disk, !frontEnd.isClosing {
                frontEnd.isClosing = true
                context.engine.send(.stopFUSE(volume))
                fail(disk)
            }
            Task { await explainLoss(refusing: refusing, ours: epoch, wasServing: wasServing) }
        }
    }

    /// Looks at the record itself, not at what was seen of it: it tells who won, or that the
    /// record is older than the copies and the volume has to stop (rule 21).
    private func explainLoss(refusing: Epoch, ours: Epoch, wasServing: Bool) async {
        defer {
            isLossOpen = false
            bell.ring()
        }
        while !Task.isCancelled {
            do {
                let record = try await context.store.record(
                    Keys.configuration(volume), as: VolumeConfiguration.self)?.record
                guard let record else { return }
                if record.epoch < refusing {
                    stoppedBy = refusing
                    await context.event(
                        .volumeStopped, "\(name) is stopped: a copy has promised epoch"
                            + " \(refusing), the record is at \(record.epoch); the metadata"
                            + " service was set back to an older state")
                } else if wasServing {
                    let owner = record.owner.map { context.view.name(of: $0.node) } ?? "nobody"
                    await context.event(
                        .lockedOut, "\(name): old owner node \(context.node.short) locked out,"
                            + " epoch \(ours) to \(record.epoch); the owner is \(owner)")
                }
                return
            } catch {
                try? await Task.sleep(for: context.settings.times.retry)
            }
        }
    }

    private func noticed(_ notice: OwnerNotice) async {
        switch notice {
        case .serving(let now): await serves(in: now)
        case .reconciled(let regions):
            isReconciled = true
            guard regions > 0 else { return }
            await context.event(
                .reconciled, "\(name): \(regions) regions made equal on every copy after a"
                    + " takeover")
        case .replicaLeft(let replica, let now):
            epoch = now
            rebuild.left(replica)
            await context.event(
                .replicaLeft, "\(name): copy on node \(node(of: replica)) left the copies in"
                    + " sync, epoch \(now)")
        case .replicaJoined(let replica, let now):
            epoch = now
            await joined(replica)
        case .replicaAdded(let replica):
            await added(replica)
        case .replicaFreed(let replica):
            await freed(replica)
        case .rebuildStarted(let replica): await rebuildStarted(replica)
        case .rebuildProgress(let replica, let done, let total):
            rebuild.progress(replica, done: done, of: total)
        case .rebuildFailed(let replica): await rebuildFailed(replica)
        case .badChecksum(let replica, let range):
            await context.event(
                .checksumMismatch, "\(name): copy on node \(node(of: replica)) does not match"
                    + " its checksum at byte \(range.offset)")
        case .repaired(let replica, let range):
            await context.event(
                .blocksRepaired, "\(name): \(range.length) bytes at byte \(range.offset) written"
                    + " anew on node \(node(of: replica)), from a good copy")
        }
    }

    /// The first time is the takeover; later ones are new epochs of the same session.
    private func serves(in now: Epoch) async {
        epoch = now
        guard firstEpoch == 0 else { return }
        firstEpoch = now
        if case .opening(let instance) = session { session = .serving(instance) }
        if let before = grewFrom, before != size {
            grewFrom = nil
            await context.event(
                .volumeExpanded, "\(name) is expanded on node \(context.node.short)")
        }
        guard let former = formerOwner, former.node != context.node else { return }
        if isFailover, context.failovers.isNew(former.node) {
            await context.event(
                .failoverCompleted, "node (\(former.node.short)) failover completed."
                    + " hostname=\(context.settings.name),"
                    + " ip address=\(context.settings.address.host)")
        }
        await context.event(
            .ownerChanged, "\(name): epoch \(formerEpoch) to \(now), owner node"
                + " \(context.settings.name) after \(context.view.name(of: former.node)),"
                + " which is locked out")
    }
}
