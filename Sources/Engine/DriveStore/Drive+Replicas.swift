import DriveFormat
import Glibc
import Units

/// A replica that was found on a drive.
public struct FoundReplica: Sendable {
    public var volume: VolumeID
    public var directory: String
    /// Why it cannot be served, where it cannot.
    public var state: Result<StateSlot, DriveError>
}

extension Drive {
    /// The replicas on the drive, those that cannot be served too, by volume.
    ///
    /// They are looked at without being opened: those in use as well.
    public func replicas() throws(DriveError) -> [FoundReplica] {
        var found: [FoundReplica] = []
        for name in try Folder.names(in: replicasPath) {
            guard let volume = VolumeID(text: name) else { continue }
            found.append(
                FoundReplica(
                    volume: volume, directory: directory(of: volume), state: state(of: volume)))
        }
        return found
    }

    private func state(of volume: VolumeID) -> Result<StateSlot, DriveError> {
        do throws(DriveError) {
            return .success(try readState(of: volume))
        } catch {
            return .failure(error)
        }
    }

    /// What the replica's state file says now, also while it is open.
    public func readState(of volume: VolumeID) throws(DriveError) -> StateSlot {
        let file = try File.direct(directory(of: volume) + "/" + ReplicaFiles.stateName)
        let slot = try ReplicaFiles.newestSlot(file)
        if slot.cluster != identity.cluster {
            throw .otherCluster(path: file.path, found: slot.cluster)
        }
        if slot.drive != identity.drive { throw .otherDrive(path: file.path, found: slot.drive) }
        if slot.volume != volume { throw .otherVolume(path: file.path, found: slot.volume) }
        return slot
    }

    /// Deletes a replica that a tombstone names; it may be gone already, wholly or in part.
    ///
    /// Renamed first: from then on it is no replica any more, whatever happens, and
    /// `removeLeftovers` ends what a crash has interrupted.
    /// - Throws: `otherReplica` where the volume has another one here, which is left alone;
    ///   `inUse` while anyone has it open.
    public func delete(
        volume: VolumeID, replica: ReplicaID
    ) throws(DriveError) {
        try delete(volume: volume, replica: replica) { _ in }
    }

    /// - Parameter afterStep: sees the drive as a crash at that point would leave it.
    func delete(
        volume: VolumeID, replica: ReplicaID, afterStep: (String) -> Void
    ) throws(DriveError) {
        let aside = replicasPath + "/deleting-" + replica.text
        let place = directory(of: volume)
        if try Folder.exists(place) {
            let slot = try readState(of: volume)
            guard slot.replica == replica else {
                throw .otherReplica(path: place, found: slot.replica)
            }
            let data = try File.direct(place + "/" + ReplicaFiles.dataName)
            try data.lock()
            try Folder.rename(place, to: aside)
            afterStep("renamed aside")
        }
        guard try Folder.exists(aside) else { return }
        for name in try Folder.names(in: aside) {
            let file = aside + "/" + name
            guard unlink(file) == 0 else { throw .last("unlink", file) }
            afterStep("without \(name)")
        }
        try Folder.remove(aside)
        afterStep("removed")
    }

    /// Ends what crashes have interrupted: half-made replicas and half-deleted ones go. To be
    /// called when a node takes its drive into use, before anything is created on it.
    public func removeLeftovers() throws(DriveError) {
        for name in try Folder.names(in: replicasPath)
        where name.hasPrefix("creating-") || name.hasPrefix("deleting-") {
            try Folder.remove(replicasPath + "/" + name)
        }
    }
}
