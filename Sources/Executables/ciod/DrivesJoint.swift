import Control
import DriveFormat
import DriveStore
import Glibc
import Logging
import Records
import Synchronization
import Units

/// Joins control and the drive store.
final class DrivesJoint: NodeStorage {
    private struct Used {
        var drive: Drive
        var type: WantedVolume.DriveType
    }

    private let used: [Used]
    private let logger: Logger
    /// Replicas that cannot be served, each told of once.
    private let told = Mutex<Set<String>>([])

    /// Free space is reported in these steps, so that not every write changes the record.
    private static let freeStep: UInt64 = 256 << 20

    private init(_ used: [Used], logger: Logger) {
        self.used = used
        self.logger = logger
    }

    /// Takes the drives into use: opens those of the cluster, and makes new ones of directories
    /// that are none yet.
    static func open(
        _ options: [Options.DriveOption], cluster: ClusterID, logger: Logger
    ) async throws -> DrivesJoint {
        let used = try await Blocking.run {
            try options.map { option in
                let drive: Drive
                do throws(DriveError) {
                    drive = try Drive.open(at: option.path, of: cluster)
                } catch .missing {
                    drive = try Drive.create(
                        at: option.path, DriveIdentity(cluster: cluster, drive: .random()))
                }
                try drive.removeLeftovers()
                return Used(drive: drive, type: option.type)
            }
        }
        return DrivesJoint(used, logger: logger)
    }

    func drives() async -> [DriveRecord] {
        await Blocking.run { [used, logger] in
            used.map { used in
                let identity = used.drive.identity
                do throws(DriveError) {
                    let space = try used.drive.space()
                    let free = space.free.bytes / Self.freeStep * Self.freeStep
                    return DriveRecord(
                        id: identity.drive, path: used.drive.path, type: used.type,
                        total: space.total, free: ByteCount(free))
                } catch {
                    logger.error("drive \(used.drive.path): \(error)")
                    return DriveRecord(
                        id: identity.drive, path: used.drive.path, type: used.type,
                        total: ByteCount(0), free: ByteCount(0), status: .faulty)
                }
            }
        }
    }

    func replicas() async throws -> [StoredReplica] {
        try await Blocking.run { [self] in
            var found: [StoredReplica] = []
            for used in used {
                for replica in try used.drive.replicas() {
                    switch replica.state {
                    case .success(let slot):
                        found.append(StoredReplica(
                            volume: slot.volume, replica: slot.replica, drive: slot.drive,
                            sizeBytes: slot.sizeBytes, directory: replica.directory))
                    case .failure(let error):
                        let isNew = told.withLock { $0.insert(replica.directory).inserted }
                        if isNew { logger.error("\(replica.directory) is left alone: \(error)") }
                    }
                }
            }
            return found
        }
    }

    func create(_ replica: NewReplica) async throws -> StoredReplica {
        let drive = try drive(replica.drive)
        return try await Blocking.run {
            try drive.create(
                volume: replica.volume, replica: replica.replica, sizeBytes: replica.sizeBytes)
            return StoredReplica(
                volume: replica.volume, replica: replica.replica, drive: replica.drive,
                sizeBytes: replica.sizeBytes, directory: drive.directory(of: replica.volume))
        }
    }

    func delete(_ replica: StoredReplica) async throws {
        let drive = try drive(replica.drive)
        try await Blocking.run {
            try drive.delete(volume: replica.volume, replica: replica.replica)
        }
    }

    func state(of replica: StoredReplica) async throws -> StoredState {
        let drive = try drive(replica.drive)
        return try await Blocking.run {
            let slot = try drive.readState(of: replica.volume)
            return StoredState(
                promised: slot.promised, checkpoint: slot.checkpoint,
                allocated: try ReplicaFolder(replica.directory).allocated())
        }
    }

    func isUnwritten(_ replica: StoredReplica) async throws -> Bool {
        try await Blocking.run { try ReplicaFolder(replica.directory).isUnwritten() }
    }

    private func drive(_ id: DriveID) throws -> Drive {
        guard let used = used.first(where: { $0.drive.identity.drive == id }) else {
            throw StartError(description: "drive \(id.short) is not one of this node's")
        }
        return used.drive
    }
}
