import Metadata
import Records
import Units

// The filesystem of a volume is made once, at its first use.
extension VolumeKeeper {
    /// The filesystem to mount; nil when it has to be asked again, which the bell will do.
    ///
    /// One is made only from `unformatted`, on a volume of nothing but holes, by the owner that
    /// changed the record to `formatting`. A crash in between is resolved by looking: a whole
    /// filesystem is taken, anything else is made again, as nobody else can have written yet.
    func prepareFilesystem(
        on device: BlockDevice
    ) async throws -> WantedVolume.Filesystem? {
        guard let wanted: Stored<WantedVolume> = try await context.store.record(
            Keys.wanted(volume))
        else { return nil }
        let record = wanted.record
        switch record.format {
        case .formatted:
            return try await presentFilesystem(on: device)
        case .unformatted:
            if case .filesystem(let found) = try await context.devices.content(of: device) {
                return try await markFormatted(as: found) ? found : nil
            }
            guard try await isUnwritten() else { return nil }
            guard try await markFormatting() else { return nil }
            return try await make(record.filesystem, on: device, overwriting: false)
        case .formatting:
            let content = try await context.devices.content(of: device)
            if content == .filesystem(record.filesystem) {
                return try await markFormatted(as: record.filesystem, isOurs: true) ? record.filesystem : nil
            }
            return try await make(
                record.filesystem, on: device, overwriting: content != .blank)
        }
    }

    private func presentFilesystem(
        on device: BlockDevice
    ) async throws -> WantedVolume.Filesystem {
        switch try await context.devices.content(of: device) {
        case .filesystem(let found): return found
        case .blank, .other:
            throw AttachError(
                description: "it holds no filesystem that can be mounted, and may hold data;"
                    + " attach it without a mount and make one on \(device.link)")
        }
    }

    private func make(
        _ filesystem: WantedVolume.Filesystem, on device: BlockDevice, overwriting: Bool
    ) async throws -> WantedVolume.Filesystem? {
        try await context.devices.makeFilesystem(
            filesystem, on: device, overwriting: overwriting)
        guard try await markFormatted(as: filesystem, isOurs: true) else { return nil }
        await context.event(
            .filesystemMade, "\(name): \(filesystem.rawValue) made on node"
                + " \(context.node.short)")
        return filesystem
    }

    private func markFormatting() async throws -> Bool {
        var isOurs = false
        let isOwner = try await updateAsOwner { record in
            isOurs = record.format == .unformatted
            guard isOurs else { return false }
            record.format = .formatting
            return true
        }
        return isOwner && isOurs
    }

    /// - Parameter isOurs: made just now, over the whole device.
    private func markFormatted(
        as filesystem: WantedVolume.Filesystem, isOurs: Bool = false
    ) async throws -> Bool {
        let size = size
        return try await updateAsOwner { record in
            if record.format == .formatted, record.filesystem == filesystem { return false }
            record.format = .formatted
            record.filesystem = filesystem
            if isOurs { record.filesystemSize = size }
            return true
        }
    }

    /// Whether every copy is all holes. Copies in sync are equal, so one of them tells for all:
    /// our own, or one whose node has looked at it since it serves this session.
    ///
    /// False: not known yet; asked again soon. Throws if something was written.
    private func isUnwritten() async throws -> Bool {
        guard isReconciled else { return false }
        let view = context.view
        let inSync = view.configurations[volume]?.record.inSync ?? []
        var answer: Bool?
        for replica in inSync where answer == nil && replica.node == context.node {
            guard let stored = await replicas.replica(replica.id) else { continue }
            answer = try await context.storage.isUnwritten(stored)
        }
        if answer == nil, wasOfferedRaw {
            throw AttachError(
                description: "it was open without a filesystem; detach it first, then attach"
                    + " it with --mount")
        }
        for replica in inSync where answer == nil {
            guard let copy = view.copies[replica.id], copy.promised >= firstEpoch else { continue }
            answer = copy.isUnwritten
        }
        guard let answer else {
            bell.ring(after: .milliseconds(100))
            return false
        }
        guard answer else {
            throw AttachError(
                description: "it was written to and holds no filesystem; it is not formatted,"
                    + " as that would destroy what was written")
        }
        return true
    }
}
