import EngineCommands
import Metadata
import Records
import Units

// Device, filesystem, mount: what this node offers of the volume.
extension VolumeKeeper {
    /// One pass towards what is wanted of the front end; each part that is there already is left
    /// as it is.
    func attach(_ wanted: WantedVolume) async throws {
        let node = context.node
        if let kept { await resume(kept, wanted) }
        guard wanted.attachTo == node, !wanted.isExportOnly else {
            if wanted.attachTo == node { return try await keepExport() }
            return try await detach()
        }
        if frontEnd.device == nil {
            guard !frontEnd.isClosing else { return }
            try await offerDevice(wanted)
        }
        try await growDevice()
        if wanted.mount {
            if frontEnd.mountPoint == nil { try await mount(wanted) }
            try await growFilesystem(wanted)
            if wanted.autoexpand.isEnabled { try await watchUse() }
        } else if let folder = frontEnd.mountPoint {
            do {
                try await unmount(folder)
            } catch is DiskInUse {
                return try await stayMounted()
            }
        }
        await announce()
    }

    private func offerDevice(_ wanted: WantedVolume) async throws {
        if !wanted.mount {
            try await giveRawContent()
        }
        if frontEnd.disk == nil {
            let disk = try await context.devices.mountDisk(of: volume, vdisk: wanted.vdisk)
            frontEnd.disk = disk
            context.engine.send(.serveFUSE(volume, descriptor: disk.descriptor))
        }
        guard let disk = frontEnd.disk, !isDeposed else { return }
        frontEnd.device = try await context.devices.makeDevice(over: disk, vdisk: wanted.vdisk)
        frontEnd.deviceSize = size
    }

    private func mount(_ wanted: WantedVolume) async throws {
        guard let device = frontEnd.device, !isDeposed,
            let filesystem = try await prepareFilesystem(on: device)
        else { return }
        if filesystem == .ext4 { try await growUnmounted(wanted, filesystem, on: device) }
        let folder = mountPoint(of: wanted)
        try await context.devices.mount(filesystem, on: device, at: folder)
        frontEnd.mountPoint = folder
    }

    func mountPoint(of wanted: WantedVolume) -> String {
        (wanted.directory ?? context.settings.volumesDirectory) + "/vd\(wanted.vdisk)"
    }

    /// Whoever gets the raw content may write anything: from now on no filesystem is made whose
    /// making began earlier.
    func giveRawContent() async throws {
        wasOfferedRaw = true
        _ = try await updateAsOwner { record in
            guard record.format == .formatting else { return false }
            record.format = .formatted
            return true
        }
    }

    /// Attached for network clients only, and the last of them has gone.
    private func keepExport() async throws {
        if frontEnd.isThere { try await detach() }
        guard !exportClients, exportsPending == 0 else { return await announce() }
        let node = context.node
        try await context.store.update(Keys.wanted(volume), as: WantedVolume.self) { record in
            guard var record, record.attachTo == node, record.isExportOnly else { return nil }
            record.attachTo = nil
            record.isExportOnly = false
            record.parkedAt = node
            return record
        }
    }

    /// The volume stays this node's, but is not offered any more.
    private func detach() async throws {
        if exportClients { return try await stayAttached() }
        if frontEnd.isThere {
            do { try await takeDown() } catch is DiskInUse { return try await stayAttached() }
        }
        await announceEnd()
    }

    private func stayMounted() async throws {
        let node = context.node
        try await context.store.update(Keys.wanted(volume), as: WantedVolume.self) { record in
            guard var record, record.attachTo == node, !record.mount else { return nil }
            record.mount = true
            return record
        }
        await context.event(
            .volumeIsOpen, "\(name) stays mounted on node \(node.short): vdisk is opened")
    }

    private func announce() async {
        guard !isAnnounced else { return }
        isAnnounced = true
        await context.event(.volumeCreated, "\(name) created on node \(context.node.short)")
    }

    private func announceEnd() async {
        guard isAnnounced else { return }
        isAnnounced = false
        await context.event(.volumeRemoved, "\(name) removed on node \(context.node.short)")
    }
}

// Taking the front end down.
extension VolumeKeeper {
    /// From the mount to the disk. Throws `DiskInUse`, with nothing changed, where something
    /// uses it.
    func takeDown() async throws {
        guard isStopping || !context.holds.contains(volume) else { throw DiskInUse() }
        isTakingDown = true
        defer { isTakingDown = false }
        if let folder = frontEnd.mountPoint { try await unmount(folder) }
        if let device = frontEnd.device {
            if try await context.devices.isInUse(device) { throw DiskInUse() }
            try await context.devices.removeDevice(device)
            frontEnd.device = nil
        }
        if let disk = frontEnd.disk {
            frontEnd.isEnding = true
            defer { frontEnd.isEnding = false }
            try await context.devices.unmountDisk(disk)
            frontEnd.disk = nil
            frontEnd.isClosing = true
            context.engine.send(.stopFUSE(volume))
        }
        await announceEnd()
    }

    private func unmount(_ folder: String) async throws {
        guard isStopping || !context.holds.contains(volume) else { throw DiskInUse() }
        isTakingDown = true
        defer { isTakingDown = false }
        try await context.devices.unmount(folder)
        frontEnd.mountPoint = nil
    }

    /// Whether the volume's filesystem is what is seen at its mount point, and is going to stay
    /// there as long as the volume is held. If it is not, it is mounted again.
    func confirmMount() async throws -> Bool {
        guard let device = frontEnd.device, let folder = frontEnd.mountPoint, !isTakingDown,
            !isDeposed
        else { return false }
        if try await context.devices.isMounted(device, at: folder) {
            return !isTakingDown && frontEnd.mountPoint == folder
        }
        if frontEnd.mountPoint == folder { frontEnd.mountPoint = nil }
        bell.ring()
        return false
    }

    /// Takes everything down though it is in use. Its users get errors.
    func forceDown() async throws {
        if let folder = frontEnd.mountPoint {
            try await context.devices.unmountLazily(folder)
            frontEnd.mountPoint = nil
        }
        if frontEnd.disk != nil, !frontEnd.isClosing {
            frontEnd.isClosing = true
            context.engine.send(.stopFUSE(volume))
        }
        if let disk = frontEnd.disk { try await context.devices.failDisk(disk) }
        if let device = frontEnd.device {
            try await context.devices.removeDevice(device)
            frontEnd.device = nil
        }
        if let disk = frontEnd.disk {
            try await context.devices.unmountDisk(disk)
            frontEnd.disk = nil
        }
        await announceEnd()
    }

    /// The session was lost to another owner; who took the volume has told of it.
    func clearAfterLoss() async throws {
        isAnnounced = false
        let folder = frontEnd.mountPoint
        let users = context.holds.contains(volume) ? "; its users here get errors" : ""
        if let kept { try await remove(kept) }
        if let disk = frontEnd.disk { try await context.devices.failDisk(disk) }
        try await forceDown()
        isDeposed = false
        guard let folder else { return }
        await context.event(
            .mountTornDown, "\(name): \(folder) is torn down on node \(context.node.short),"
                + " which has lost the volume\(users)")
    }
}
