import DriveFormat
import Units

extension Drive {
    /// Makes an empty replica. Where this very one is already, nothing is done.
    ///
    /// It is made aside and renamed when all of it is durable, so that a crash leaves no replica
    /// or a whole one.
    public func create(
        volume: VolumeID, replica: ReplicaID, sizeBytes: UInt64
    ) throws(DriveError) {
        try create(volume: volume, replica: replica, sizeBytes: sizeBytes) { _ in }
    }

    /// - Parameter afterStep: sees the drive as a crash at that point would leave it.
    func create(
        volume: VolumeID, replica: ReplicaID, sizeBytes: UInt64, afterStep: (String) -> Void
    ) throws(DriveError) {
        try checkSize(sizeBytes)
        let place = directory(of: volume)
        if try Folder.exists(place) {
            try requireSame(volume, replica, sizeBytes)
            return
        }
        let aside = replicasPath + "/creating-" + replica.text
        if try Folder.exists(aside) { try Folder.remove(aside) }
        try Folder.make(aside)
        afterStep("made the folder")
        do throws(DriveError) {
            try makeFiles(aside, volume, replica, sizeBytes, afterStep)
        } catch {
            try? Folder.remove(aside)
            throw error
        }
        try Folder.rename(aside, to: place)
        afterStep("renamed")
    }

    private func makeFiles(
        _ aside: String, _ volume: VolumeID, _ replica: ReplicaID, _ sizeBytes: UInt64,
        _ afterStep: (String) -> Void
    ) throws(DriveError) {
        try makeSparse(aside + "/" + ReplicaFiles.dataName, sizeBytes)
        afterStep("made the data")
        try makeSparse(
            aside + "/" + ReplicaFiles.checksumsName,
            ChecksumPage.fileBytes(volumeBytes: sizeBytes))
        afterStep("made the checksums")
        try makeRegions(aside + "/" + ReplicaFiles.regionsName, sizeBytes)
        afterStep("made the regions")
        let slot = StateSlot(
            sequence: 0, cluster: identity.cluster, drive: identity.drive, volume: volume,
            replica: replica, sizeBytes: sizeBytes)
        try makeState(aside + "/" + ReplicaFiles.stateName, slot)
        afterStep("made the state")
        try Folder.sync(aside)
        afterStep("synced the folder")
    }

    private func checkSize(_ bytes: UInt64) throws(DriveError) {
        let isWhole = bytes > 0 && bytes % Geometry.blockBytes == 0
        guard isWhole, bytes <= Geometry.volumeBytesMax else {
            throw .badVolumeSize(
                path: path, bytes: bytes, reason: "whole blocks of 4 KiB, up to 64 TiB")
        }
        // Its longest file is a block short of 16 TiB (fs/ext4/super.c, ext4_max_size).
        if bytes >= Geometry.volumeBytesMaxOnExt4, try filesystem() == .ext4 {
            throw .badVolumeSize(
                path: path, bytes: bytes, reason: "ext4 holds volumes of less than 16 TiB; use XFS")
        }
    }

    private func requireSame(
        _ volume: VolumeID, _ replica: ReplicaID, _ sizeBytes: UInt64
    ) throws(DriveError) {
        let slot = try readState(of: volume)
        let place = directory(of: volume)
        guard slot.replica == replica else { throw .otherReplica(path: place, found: slot.replica) }
        guard slot.sizeBytes == sizeBytes else {
            throw .wrongSize(path: place, found: slot.sizeBytes, expected: sizeBytes)
        }
    }

    private func makeSparse(_ path: String, _ bytes: UInt64) throws(DriveError) {
        let file = try File.direct(path, creating: true)
        try file.truncate(to: bytes)
        try file.sync()
    }

    private func makeRegions(_ path: String, _ sizeBytes: UInt64) throws(DriveError) {
        let file = try File.direct(path, creating: true)
        let bytes = RegionPage.fileBytes(regionCount: Geometry.regionCount(sizeBytes))
        try file.truncate(to: bytes)
        try file.allocate(min(bytes, DriveLimits.regionsPreallocatedMax))
        try file.sync()
    }

    /// Both slots, so that neither needs space later.
    private func makeState(_ path: String, _ slot: StateSlot) throws(DriveError) {
        let file = try File.direct(path, creating: true)
        let memory = AlignedMemory(count: StateFile.byteCount)
        var next = slot
        for _ in 0..<2 {
            next.sequence += 1
            next.encode(to: memory.bytes + Int(next.fileOffset))
        }
        try file.write(memory.count, at: 0, from: memory.bytes)
        try file.sync()
    }
}
