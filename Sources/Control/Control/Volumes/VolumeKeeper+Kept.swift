import EngineCommands
import Records
import Units

// A device that outlives the process that serves it.
//
// Somebody else keeps its descriptor while there is no `ciod` here: its I/O waits. The next one
// takes a new epoch first, so that nothing that the dead one has sent can land any more, and then
// has the kernel send again what was not answered.
//
// It may go on only where nobody else has owned the volume since: what its filesystem knows by
// heart must still be so. That is told by the record: its last owner was of this node. For a node
// never claims a volume beside a kept device that is not to go on; it removes that before.
extension VolumeKeeper {
    /// Takes a kept device away unless it may go on. No session is opened before that is done.
    func judgeKept(_ wanted: WantedVolume?, in view: RecordsView) async throws {
        guard let kept, session == .closed else { return }
        if isStopping {
            if !leavesDevices { try await remove(kept) }
            return
        }
        if goesOn(wanted, in: view) { return }
        try await remove(kept)
    }

    /// Whether there is a kept device that may go on. It does even where the volume has been
    /// ordered away: whoever uses it is asked first, as ever.
    func goesOn(_ wanted: WantedVolume?, in view: RecordsView) -> Bool {
        guard kept != nil, !isStopping, stoppedBy == nil, let wanted, !wanted.isDeleting else {
            return false
        }
        // A filesystem that was being made is made anew: nobody can have mounted it.
        return wanted.format != .formatting
            && view.configurations[volume]?.record.owner?.node == context.node
    }

    /// The session serves: what waits for the device goes on.
    func resume(_ device: KeptDevice, _ wanted: WantedVolume) async {
        let folder = mountPoint(of: wanted)
        // Its size is not known: it may have been told an older one.
        frontEnd = FrontEnd(
            disk: device.disk, device: device.device,
            mountPoint: device.mountPoints.contains(folder) ? folder : nil)
        kept = nil
        if wanted.format == .unformatted { wasOfferedRaw = true }
        isAnnounced = true
        context.engine.send(
            .serveFUSE(volume, descriptor: device.disk.descriptor, isResumed: true))
        await context.event(
            .volumeGoesOn, "\(name) goes on at node \(context.node.short): its device has"
                + " waited, epoch \(epoch)")
    }

    /// Whoever uses it gets errors. Nothing that waits there is written any more.
    func remove(_ device: KeptDevice) async throws {
        try await context.devices.failDisk(device.disk)
        let failures = await context.devices.removeKept(device)
        kept = nil
        let record = context.view.configurations[volume]?.record
        let owner = record?.owner.map { context.view.name(of: $0.node) } ?? "nobody"
        await context.event(
            .keptDeviceRemoved, "\(name) does not go on at node \(context.node.short): its"
                + " device answers errors and is taken away; the owner is \(owner), epoch"
                + " \(record?.epoch ?? 0)")
        for failure in failures { await context.toldLeftover(failure) }
    }

    /// The node ends, and the device waits for its next `ciod`, if it can: what is under way comes
    /// to its end, unanswered, and is asked again.
    func leaveDevice() {
        guard let disk = frontEnd.disk, disk.isKept, frontEnd.device != nil, !frontEnd.isLeft,
            !frontEnd.isClosing
        else { return }
        frontEnd.isLeft = true
        frontEnd.isClosing = true
        context.engine.send(.stopFUSE(volume))
        context.logger.notice("\(name) waits for the next ciod of this node")
    }

    /// Nobody serves the disk any more; whoever waits for it is told so.
    func fail(_ disk: MountedDisk) {
        Task {
            do {
                try await context.devices.failDisk(disk)
            } catch {
                context.logger.error("\(name): I/O may hang: \(error)")
            }
        }
    }
}
