import Metadata
import Records
import Units

// A volume that has grown: the device follows the session, the filesystem the device.
extension VolumeKeeper {
    func growDevice() async throws {
        guard let device = frontEnd.device, let disk = frontEnd.disk, frontEnd.deviceSize != size
        else { return }
        try await context.devices.resize(device, over: disk)
        frontEnd.deviceSize = size
    }

    /// While it is mounted. A filesystem that cannot grow then stays sound and as it is; people
    /// are told once.
    func growFilesystem(_ wanted: WantedVolume) async throws {
        guard let device = frontEnd.device, let folder = frontEnd.mountPoint,
            let now = wanted.filesystemSize, now < size, stuckBelow != size
        else { return }
        do {
            try await context.devices.growFilesystem(
                wanted.filesystem, on: device, mountedAt: folder)
        } catch {
            stuckBelow = size
            await context.event(
                .filesystemNotGrown, "\(name): its \(wanted.filesystem.rawValue) cannot grow while"
                    + " it is mounted (\(error)); it grows when it is mounted the next time")
            return
        }
        try await noteFilesystemSize()
    }

    /// What ext4 needs a capability for while it is mounted, it does without before.
    func growUnmounted(
        _ wanted: WantedVolume, _ filesystem: WantedVolume.Filesystem, on device: BlockDevice
    ) async throws {
        guard let now = wanted.filesystemSize, now < size else { return }
        try await context.devices.growFilesystem(filesystem, on: device, mountedAt: nil)
        try await noteFilesystemSize()
    }

    private func noteFilesystemSize() async throws {
        stuckBelow = nil
        let size = size
        _ = try await updateAsOwner { record in
            guard record.filesystemSize != size else { return false }
            record.filesystemSize = size
            return true
        }
    }

    /// Often enough for what fills up within minutes; a look costs one system call.
    private static let useInterval = Duration.seconds(10)

    func watchUse() async throws {
        guard ContinuousClock.now >= looksAt else { return }
        looksAt = .now + Self.useInterval
        bell.ring(after: Self.useInterval)
        try await expandIfFull()
    }

    /// Orders a larger volume when its filesystem is as full as its autoexpand says.
    private func expandIfFull() async throws {
        guard let folder = frontEnd.mountPoint, frontEnd.deviceSize == size,
            context.view.wanted[volume]?.record.autoexpand.isEnabled == true
        else { return }
        let used = try await context.devices.usedPercent(of: folder)
        let now = size
        _ = try await updateAsOwner { record in
            // One growth at a time: the filesystem has to have followed the last one.
            guard record.size == now, record.filesystemSize == now,
                let next = record.autoexpand.next(gigabytes: now.gigabytes, usedPercent: used),
                next <= VolumeInput.capacityGBMax
            else { return false }
            record.size = ByteCount(gigabytes: next)
            record.autoexpand.count += 1
            return true
        }
    }
}
