import EngineCommands
import Records
import Replication
import Units

/// Sessions of owners: opened and closed by control, ended by their machines.
extension Loop {
    /// The volume's host, made where there is none yet.
    mutating func volume(_ id: VolumeID, sizeBytes: UInt64) -> Int {
        if let index = volumeNumbers[id] {
            if volumes[index].pointee.machine == nil {
                volumes[index].pointee.sizeBytes = sizeBytes
            }
            return index
        }
        let index = volumes.insert(
            VolumeHost(id: id, sizeBytes: sizeBytes, counters: shared.counters.block(of: id)))
        volumeNumbers[id] = index
        return index
    }

    mutating func openOwner(
        _ configuration: VolumeConfiguration, _ instance: InstanceID, _ sizeBytes: UInt64
    ) {
        if isStopping || (volumes.isFull && volumeNumbers[configuration.volume] == nil) { return }
        let index = volume(configuration.volume, sizeBytes: sizeBytes)
        let host = volumes[index]
        // One session at a time: the present one ends first, and control asks again.
        if host.pointee.machine != nil { return }
        host.pointee.instance = instance
        host.pointee.isDeposed = false
        host.pointee.wakesAt = .distantFuture
        host.pointee.machine = .allocate(capacity: 1)
        host.pointee.machine!.initialize(
            to: OwnerMachine(
                recorded: configuration, node: shared.configuration.node, instance: instance,
                sizeBytes: sizeBytes, timing: timing, now: now))
        markVolume(index)
        if host.pointee.disk >= 0 { readRequests(host.pointee.disk) }
    }

    /// The volume's session of that instance, if it is the present one.
    private func session(_ volume: VolumeID, _ instance: InstanceID) -> Int? {
        guard let index = volumeNumbers[volume], volumes[index].pointee.machine != nil,
            volumes[index].pointee.instance == instance
        else { return nil }
        return index
    }

    mutating func closeOwner(_ volume: VolumeID, _ instance: InstanceID) {
        guard let index = session(volume, instance) else { return }
        volumes[index].pointee.machine!.pointee.close(now: now)
        markVolume(index)
    }

    mutating func configurationAnswered(
        _ volume: VolumeID, _ instance: InstanceID, _ answer: ChangeAnswer
    ) {
        guard let index = session(volume, instance) else { return }
        volumes[index].pointee.machine!.pointee.configurationAnswered(answer, now: now)
        markVolume(index)
    }

    mutating func recordSeen(_ record: VolumeConfiguration, _ instance: InstanceID) {
        guard let index = session(record.volume, instance) else { return }
        volumes[index].pointee.machine!.pointee.saw(record, now: now)
        markVolume(index)
    }

    mutating func limit(_ volume: VolumeID, _ level: ServiceLevel) {
        guard let index = volumeNumbers[volume] else { return }
        volumes[index].pointee.throttle.set(level, now: now)
        markVolume(index)
    }

    mutating func rebuild(_ volume: VolumeID, with command: RebuildCommand) {
        guard let index = volumeNumbers[volume], let machine = volumes[index].pointee.machine else {
            return
        }
        // What is not possible now is asked for again.
        switch command {
        case .add(let record): _ = machine.pointee.add(record, now: now)
        case .start(let replica): _ = machine.pointee.startRebuild(of: replica, now: now)
        case .free(let replica, let copies):
            _ = machine.pointee.free(replica, copiesWanted: copies, now: now)
        }
        markVolume(index)
    }

    /// The machine has said its last: links are closed, and every request under way was answered.
    mutating func sessionEnded(_ index: Int, _ reason: OwnerEnd) {
        let host = volumes[index]
        guard let machine = host.pointee.machine else { return }
        host.pointee.machine = nil
        machine.deinitialize(count: 1)
        machine.deallocate()
        for peer in 0..<ReplicationLimits.peersMax { closeLink(index, peer) }
        switch reason {
        case .released: break
        case .lostWrites: clientsLostWrites(index)
        case .deposed:
            host.pointee.isDeposed = true
            closeClients(of: index)
        }
        report(.ownerEnded(host.pointee.id, instance: host.pointee.instance, reason))
    }

    mutating func removeIfUnused(_ index: Int) {
        guard let host = volumes.find(index), host.pointee.isUnused, !host.pointee.isDirty
        else { return }
        volumeNumbers[host.pointee.id] = nil
        volumes.remove(index)
    }
}

/// Control's steps of a rebuild.
enum RebuildCommand {
    case add(ReplicaRecord)
    case start(ReplicaID)
    case free(ReplicaID, copies: Int)
}
