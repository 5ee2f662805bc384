import EngineCommands
import Logging
import Metadata
import Records
import Units

/// Keeps the copies on this node's drives as the records want them: makes what is missing, offers
/// what is there to the engine, and deletes what a tombstone names. Nothing else ever deletes one.
actor ReplicaKeeper {
    let context: NodeContext
    let bell = Bell()
    /// What lies on the drives; nil until it was looked at.
    var stored: [ReplicaID: StoredReplica]?
    /// Offered to the engine, and as how large.
    private var registeredSizes: [ReplicaID: ByteCount] = [:]
    /// Told to the engine to let go of, and not yet answered.
    private var closing: Set<ReplicaID> = []
    /// The epochs for which the copies' state was published.
    var published: [ReplicaID: Epoch] = [:]
    /// Those of which people have been told once.
    var reported: Set<ReplicaID> = []

    init(context: NodeContext) { self.context = context }

    func run() async {
        context.board.add(bell)
        bell.ring()
        await bell.forEachRing { await step() }
    }

    /// The engine's answer to `unregisterReplica`.
    func replicaClosed(_ replica: ReplicaID) {
        closing.remove(replica)
        registeredSizes[replica] = nil
        published[replica] = nil
        bell.ring()
    }

    private func isRegistered(_ replica: ReplicaID) -> Bool { registeredSizes[replica] != nil }

    /// The replica of a volume that lies here, if any does.
    func replica(_ id: ReplicaID) -> StoredReplica? { stored?[id] }

    private func step() async {
        do {
            if stored == nil {
                let found = try await context.storage.replicas()
                stored = Dictionary(found.map { ($0.replica, $0) }) { first, _ in first }
            }
            let view = context.view
            guard let cluster = view.cluster?.record.id else { return }
            for stone in view.tombstones.values where stone.record.node == context.node {
                try await honour(stone)
            }
            for configuration in view.configurations.values {
                for replica in configuration.record.replicas where replica.node == context.node {
                    await keep(replica, of: configuration, cluster: cluster, in: view)
                }
            }
            await reportUnknown(in: view)
            await answerOwners(in: view)
            followEpochs(in: view)
        } catch {
            context.logger.warning("copies on this node: \(error)")
            bell.ring(after: context.settings.times.retry)
        }
    }

    /// One step towards a replica that is gone.
    private func honour(_ stone: Stored<Tombstone>) async throws {
        let id = stone.record.replica
        if let replica = stored?[id] {
            guard !closing.contains(id) else { return }
            if isRegistered(id) {
                closing.insert(id)
                context.engine.send(.unregisterReplica(stone.record.volume, id))
                return
            }
            try await context.storage.delete(replica)
            stored?[id] = nil
            await context.event(
                .replicaDeleted, "copy \(id.short) of volume \(stone.record.volume.short)"
                    + " deleted on node \(context.node.short)")
        }
        let copy = Keys.copy(stone.record.volume, id)
        _ = try await context.store.transaction(Transaction(
            if: [.unchanged(stone.entry.key, since: stone.entry)],
            then: [.delete(stone.entry.key), .delete(copy)]))
    }

    /// One step towards a replica that is there and served.
    private func keep(
        _ replica: ReplicaRecord, of configuration: Stored<VolumeConfiguration>,
        cluster: ClusterID, in view: RecordsView
    ) async {
        let volume = configuration.record.volume
        guard let wanted = view.wanted[volume]?.record,
            registeredSizes[replica.id] != wanted.size, view.tombstones[replica.id] == nil
        else { return }
        do {
            if stored?[replica.id] == nil {
                let isNew = configuration.record.epoch == 0 || replica.state == .stale
                guard isNew else { return await reportMissing(replica, of: wanted) }
                // An older copy of the volume lies there until its tombstone is honoured.
                guard !isTaken(replica.drive, by: volume) else { return }
                let created = try await context.storage.create(NewReplica(
                    cluster: cluster, volume: volume, replica: replica.id, drive: replica.drive,
                    sizeBytes: wanted.size.bytes))
                stored?[replica.id] = created
            }
            guard let found = stored?[replica.id] else { return }
            context.engine.send(.registerReplica(LocalReplica(
                volume: volume, replica: replica.id, sizeBytes: wanted.size.bytes,
                directory: found.directory)))
            registeredSizes[replica.id] = wanted.size
            if configuration.record.epoch == 0 { try await announce(replica, configuration) }
            if replica.state == .stale { await publish(found, in: view) }
        } catch {
            registeredSizes[replica.id] = nil
            await reportFailed(replica, of: wanted, "\(error)")
            bell.ring(after: context.settings.times.retry)
        }
    }

    private func isTaken(_ drive: DriveID, by volume: VolumeID) -> Bool {
        (stored ?? [:]).values.contains { $0.drive == drive && $0.volume == volume }
    }

    /// A volume of epoch 0 is opened when all of its replicas are known to exist.
    private func announce(
        _ replica: ReplicaRecord, _ configuration: Stored<VolumeConfiguration>
    ) async throws {
        let key = Keys.created(configuration.record.volume, replica.id)
        let put = try Transaction.Operation.put(key, record: replica.id)
        _ = try await context.store.transaction(Transaction(
            if: [.unchanged(configuration.entry.key, since: configuration.entry)], then: [put]))
    }
}

// What people are told of, once each.
extension ReplicaKeeper {
    private func reportUnknown(in view: RecordsView) async {
        for replica in (stored ?? [:]).values where !reported.contains(replica.replica) {
            let isListed = view.configurations[replica.volume]?.record.replicas
                .contains { $0.id == replica.replica } ?? false
            guard !isListed, view.tombstones[replica.replica] == nil else { continue }
            reported.insert(replica.replica)
            await context.event(
                .unknownReplica, "\(replica.directory) on node \(context.node.short) is in no"
                    + " record; it is left alone, and may be removed by hand")
        }
    }

    private func reportMissing(_ replica: ReplicaRecord, of volume: WantedVolume) async {
        guard reported.insert(replica.id).inserted else { return }
        await context.event(
            .replicaMissing, "\(volume.eventName) has no copy \(replica.id.short) on node"
                + " \(context.node.short), where the record says it is in sync")
    }

    private func reportFailed(
        _ replica: ReplicaRecord, of volume: WantedVolume, _ why: String
    ) async {
        guard reported.insert(replica.id).inserted else { return }
        await context.event(
            .replicaFailed, "\(volume.eventName): copy \(replica.id.short) on node"
                + " \(context.node.short) failed: \(why)")
    }
}

// What people and owners see of the copies.
extension ReplicaKeeper {
    /// Publishes what the copies' files say of themselves, where it has changed.
    func survey() async {
        let view = context.view
        for replica in (stored ?? [:]).values where isRegistered(replica.replica) {
            await publish(replica, in: view)
        }
    }

    /// The owner of a volume that gets its first filesystem has to know that every copy is empty.
    private func answerOwners(in view: RecordsView) async {
        for replica in (stored ?? [:]).values where isRegistered(replica.replica) {
            guard let wanted = view.wanted[replica.volume]?.record, wanted.mount,
                wanted.format == .unformatted, wanted.attachTo != context.node,
                let epoch = view.configurations[replica.volume]?.record.epoch,
                view.copies[replica.replica].map({ $0.promised < epoch }) ?? true
            else { continue }
            await publish(replica, in: view)
            bell.ring(after: context.settings.times.retry)
        }
    }

    /// A new epoch is promised soon after it is recorded; then there is something new to tell.
    private func followEpochs(in view: RecordsView) {
        for replica in (stored ?? [:]).values where isRegistered(replica.replica) {
            guard let epoch = view.configurations[replica.volume]?.record.epoch,
                published[replica.replica] != epoch
            else { continue }
            published[replica.replica] = epoch
            Task {
                try? await Task.sleep(for: context.settings.times.retry)
                await publish(replica, in: context.view)
            }
        }
    }

    private func publish(_ replica: StoredReplica, in view: RecordsView) async {
        do {
            let state = try await context.storage.state(of: replica)
            let status = CopyStatus(
                volume: replica.volume, replica: replica.replica, node: context.node,
                promised: state.promised, checkpoint: state.checkpoint,
                isUnwritten: try await context.storage.isUnwritten(replica),
                allocated: state.allocated)
            guard view.copies[replica.replica] != status,
                let record = view.configurations[replica.volume],
                record.record.replicas.contains(where: { $0.id == replica.replica })
            else { return }
            let key = Keys.copy(replica.volume, replica.replica)
            let put = try Transaction.Operation.put(key, record: status)
            // Not for a volume that has just been deleted.
            _ = try await context.store.transaction(Transaction(
                if: [.present(record.entry.key)], then: [put]))
        } catch {
            context.logger.debug("state of \(replica.directory): \(error)")
        }
    }
}
