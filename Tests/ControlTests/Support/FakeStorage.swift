import Records
import Synchronization
import Units

@testable import Control

/// Stands in for a drive: replicas in memory.
final class FakeStorage: NodeStorage {
    struct State {
        var replicas: [ReplicaID: StoredReplica] = [:]
        var written: Set<ReplicaID> = []
        var deleted: [ReplicaID] = []
        var promised: Epoch = .max
    }

    let drive = DriveID.random()
    let state = Mutex(State())

    func drives() async -> [DriveRecord] {
        [
            DriveRecord(
                id: drive, path: "/drive/\(drive.short)", type: .ssd,
                total: ByteCount(gigabytes: 1000), free: ByteCount(gigabytes: 900))
        ]
    }

    func replicas() async throws -> [StoredReplica] {
        state.withLock { Array($0.replicas.values) }
    }

    func create(_ replica: NewReplica) async throws -> StoredReplica {
        let stored = StoredReplica(
            volume: replica.volume, replica: replica.replica, drive: replica.drive,
            sizeBytes: replica.sizeBytes,
            directory: "/drive/\(drive.short)/replicas/\(replica.volume.text)")
        state.withLock { $0.replicas[replica.replica] = stored }
        return stored
    }

    func delete(_ replica: StoredReplica) async throws {
        state.withLock {
            $0.replicas[replica.replica] = nil
            $0.deleted.append(replica.replica)
        }
    }

    func state(of replica: StoredReplica) async throws -> StoredState {
        StoredState(
            promised: state.withLock { $0.promised }, checkpoint: Stamp(1, 1),
            allocated: ByteCount(1 << 20))
    }

    func isUnwritten(_ replica: StoredReplica) async throws -> Bool {
        state.withLock { !$0.written.contains(replica.replica) }
    }

    /// As if a client had written to the volume.
    func write(to volume: VolumeID) {
        state.withLock { state in
            for replica in state.replicas.values where replica.volume == volume {
                state.written.insert(replica.replica)
            }
        }
    }
}
