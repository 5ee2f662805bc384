import EngineCommands
import Metadata
import Records
import Units

// Recording changes of the configuration for the engine.
extension VolumeKeeper {
    /// Sends a change, identical each time, until it is known whether it was recorded.
    ///
    /// It is decided by a transaction that succeeds, or by a record that excludes for good that
    /// it ever could: one whose epoch has reached the proposed one. (A record that is read below
    /// it decides nothing; an earlier try may still be under way.)
    func recordChange(_ change: ConfigurationChange, for instance: InstanceID) async {
        while session.instance == instance, !Task.isCancelled {
            do throws(MetadataError) {
                guard let answer = try await tryChange(change) else { continue }
                guard session.instance == instance else { return }
                context.engine.send(
                    .configurationAnswered(volume, instance: instance, answer))
                return
            } catch {
                if error.kind == .closed { return }
                context.logger.warning("\(name), epoch \(change.proposed.epoch): \(error)")
                try? await Task.sleep(for: context.settings.times.retry / 4)
            }
        }
    }

    /// Nil: somebody changed the record in between; look again.
    private func tryChange(
        _ change: ConfigurationChange
    ) async throws(MetadataError) -> ChangeAnswer? {
        let key = Keys.configuration(volume)
        let proposed = change.proposed
        guard let current: Stored<VolumeConfiguration> = try await context.store.record(key)
        else { return .conflict(ownerless(proposed)) }
        if current.record.nonce == proposed.nonce { return .recorded }
        guard current.record.epoch + 1 == proposed.epoch else {
            return .conflict(current.record)
        }
        var operations: [Transaction.Operation] = [try .put(key, record: proposed)]
        for dropped in change.dropped {
            let stone = Tombstone(
                volume: volume, replica: dropped.id, node: dropped.node, drive: dropped.drive)
            operations.append(try .put(Keys.tombstone(stone), record: stone))
        }
        if current.record.epoch == 0 {
            operations.append(.deletePrefix(Keys.created + volume.text + "/"))
        }
        let result = try await context.store.transaction(Transaction(
            if: [.unchanged(key, since: current.entry)], then: operations))
        return result.succeeded ? .recorded : nil
    }

    /// What stands for the record of a volume that has been removed: nobody may own it.
    private func ownerless(_ proposed: VolumeConfiguration) -> VolumeConfiguration {
        VolumeConfiguration(
            volume: volume, epoch: proposed.epoch, owner: nil, released: true, nonce: .zero,
            replicas: proposed.replicas)
    }

    /// Changes what is wanted of the volume, as long as this session is the recorded owner: of
    /// two that think they are, the old one changes nothing. False if it is not.
    func updateAsOwner(_ change: (inout WantedVolume) -> Bool) async throws -> Bool {
        while !Task.isCancelled {
            guard let instance = session.instance,
                let owned: Stored<VolumeConfiguration> = try await context.store.record(
                    Keys.configuration(volume)),
                let wanted: Stored<WantedVolume> = try await context.store.record(
                    Keys.wanted(volume)),
                owned.record.owner?.instance == instance
            else { return false }
            var record = wanted.record
            guard change(&record) else { return true }
            let put = try Transaction.Operation.put(wanted.entry.key, record: record)
            let result = try await context.store.transaction(Transaction(
                if: [
                    .unchanged(owned.entry.key, since: owned.entry),
                    .unchanged(wanted.entry.key, since: wanted.entry),
                ], then: [put]))
            if result.succeeded {
                await context.board.wait(for: result.revision)
                return true
            }
        }
        return false
    }
}
