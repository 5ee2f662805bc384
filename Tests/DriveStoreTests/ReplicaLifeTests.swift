import DriveFormat
import Foundation
import Testing
import Units

@testable import DriveStore

/// Creating, finding and deleting replicas, and dying in the middle of it.
@Suite struct ReplicaLifeTests {
    @Test func aReplicaIsCreatedFoundAndDeleted() throws {
        let scratch = Scratch()
        let drive = try Sample.drive(at: scratch)
        let found = try drive.replicas()
        #expect(found.map(\.volume) == [Sample.volume])
        #expect(found[0].directory == drive.directory(of: Sample.volume))
        let slot = try found[0].state.get()
        #expect(slot.replica == Sample.replica && slot.sizeBytes == Sample.size)
        #expect(slot.promised == 0 && slot.checkpoint == .zero)
        try drive.delete(volume: Sample.volume, replica: Sample.replica)
        #expect(try drive.replicas().isEmpty)
        #expect(scratch.names == ["drive", "drive/cio-drive", "drive/replicas"])
        try drive.delete(volume: Sample.volume, replica: Sample.replica)
    }

    @Test func theSameReplicaIsCreatedOnce() throws {
        let scratch = Scratch()
        let drive = try Sample.drive(at: scratch)
        try drive.create(volume: Sample.volume, replica: Sample.replica, sizeBytes: Sample.size)
        let place = drive.directory(of: Sample.volume)
        #expect(throws: DriveError.otherReplica(path: place, found: Sample.replica)) {
            try drive.create(volume: Sample.volume, replica: Sample.id(9), sizeBytes: Sample.size)
        }
        #expect(throws: DriveError.wrongSize(path: place, found: Sample.size, expected: 4096)) {
            try drive.create(volume: Sample.volume, replica: Sample.replica, sizeBytes: 4096)
        }
    }

    @Test(arguments: [0, 4095, 4096 + 512, (64 << 40) + 4096] as [UInt64])
    func sizesThatCannotBeAreRefused(size: UInt64) throws {
        let scratch = Scratch()
        let drive = try Drive.create(at: scratch.path, Sample.identity)
        #expect(throws: DriveError.self) {
            try drive.create(volume: Sample.volume, replica: Sample.replica, sizeBytes: size)
        }
        #expect(scratch.names == ["cio-drive", "replicas"])
    }

    /// Thin: what was not written takes (nearly) no space, on a filesystem that holds such files.
    @Test func aLargeReplicaIsThin() throws {
        let scratch = Scratch()
        let drive = try Drive.create(at: scratch.path, Sample.identity)
        let size: UInt64 = 15 << 40
        try drive.create(volume: Sample.volume, replica: Sample.replica, sizeBytes: size)
        var used: Int64 = 0
        for name in ["data", "checksums", "regions", "state"] {
            var status = stat()
            #expect(stat(drive.directory(of: Sample.volume) + "/" + name, &status) == 0)
            used += Int64(status.st_blocks) * 512
        }
        #expect(used <= Int64(DriveLimits.regionsPreallocatedMax) + 1 << 20)
        let opened = try Sample.open(drive, size: size)
        #expect(opened.map.regionCount == 15 << 20)
        #expect(opened.checksums.residentPages == 0)
        if try drive.filesystem() == .ext4 {
            #expect(throws: DriveError.self) {
                try drive.create(volume: Sample.id(8), replica: Sample.id(9), sizeBytes: 16 << 40)
            }
        }
    }

    @Test func anotherReplicaIsNotDeleted() throws {
        let scratch = Scratch()
        let drive = try Sample.drive(at: scratch)
        let place = drive.directory(of: Sample.volume)
        #expect(throws: DriveError.otherReplica(path: place, found: Sample.replica)) {
            try drive.delete(volume: Sample.volume, replica: Sample.id(9))
        }
        #expect(try drive.replicas().count == 1)
    }

    @Test func aReplicaInUseIsNotDeleted() throws {
        let scratch = Scratch()
        let drive = try Sample.drive(at: scratch)
        let opened = try Sample.open(drive)
        #expect(throws: DriveError.inUse(path: drive.directory(of: Sample.volume) + "/data")) {
            try drive.delete(volume: Sample.volume, replica: Sample.replica)
        }
        #expect(opened.files.data >= 0)
    }

    /// Also one that cannot be read: the record says what to do about it.
    @Test func replicasThatCannotBeServedAreListed() throws {
        let scratch = Scratch()
        let drive = try Sample.drive(at: scratch)
        let state = drive.directory(of: Sample.volume) + "/state"
        try Data(repeating: 7, count: StateFile.byteCount).write(to: URL(fileURLWithPath: state))
        let found = try drive.replicas()
        #expect(found.count == 1)
        #expect(throws: DriveError.refused(path: state, .foreign)) { try found[0].state.get() }
        #expect(throws: DriveError.refused(path: state, .foreign)) {
            try drive.delete(volume: Sample.volume, replica: Sample.replica)
        }
    }

    @Test func aReplicaOfAnotherDriveIsListedAsSuch() throws {
        let scratch = Scratch()
        let drive = try Sample.drive(at: scratch)
        let other = try Drive.create(
            at: scratch.path + "/other", DriveIdentity(cluster: Sample.id(1), drive: Sample.id(8)))
        let place = other.directory(of: Sample.volume)
        try FileManager.default.moveItem(atPath: drive.directory(of: Sample.volume), toPath: place)
        let found = try other.replicas()
        #expect(throws: DriveError.otherDrive(path: place + "/state", found: Sample.id(2))) {
            try found[0].state.get()
        }
    }

    // MARK: Crashes

    @Test func aCrashWhileCreatingLeavesNothingOrAReplica() throws {
        let scratch = Scratch()
        let drive = try Drive.create(at: scratch.path, Sample.identity)
        var crashes: [(step: String, left: Scratch)] = []
        try drive.create(volume: Sample.volume, replica: Sample.replica, sizeBytes: Sample.size) {
            crashes.append(($0, try! scratch.copy()))
        }
        #expect(crashes.count == 7)
        for (step, left) in crashes {
            let after = try Drive.open(at: left.path, of: Sample.identity.cluster)
            let found = try after.replicas()
            #expect(found.count == (step == "renamed" ? 1 : 0), "\(step)")
            if let replica = found.first {
                #expect(try replica.state.get().replica == Sample.replica)
            }
            try after.removeLeftovers()
            #expect(try after.replicas().count == found.count)
            #expect(left.names.filter { $0.contains("creating") }.isEmpty)
            try after.create(volume: Sample.volume, replica: Sample.replica, sizeBytes: Sample.size)
            _ = try Sample.open(after)
        }
    }

    /// The same without the clean-up in between, as when the process only tries again.
    @Test func creatingGoesOnAfterACrash() throws {
        let scratch = Scratch()
        let drive = try Drive.create(at: scratch.path, Sample.identity)
        var crashes: [Scratch] = []
        try drive.create(volume: Sample.volume, replica: Sample.replica, sizeBytes: Sample.size) {
            _ in crashes.append(try! scratch.copy())
        }
        for left in crashes {
            let after = try Drive.open(at: left.path)
            try after.create(volume: Sample.volume, replica: Sample.replica, sizeBytes: Sample.size)
            _ = try Sample.open(after)
            #expect(try after.replicas().count == 1)
        }
    }

    @Test func aCrashWhileDeletingLeavesAReplicaOrNothing() throws {
        let scratch = Scratch()
        let drive = try Sample.drive(at: scratch)
        var crashes: [(step: String, left: Scratch)] = []
        try drive.delete(volume: Sample.volume, replica: Sample.replica) {
            crashes.append(($0, try! scratch.copy()))
        }
        #expect(
            crashes.map(\.step) == [
                "renamed aside", "without checksums", "without data", "without regions",
                "without state", "removed",
            ])
        for (step, left) in crashes {
            let again = try left.copy()
            let after = try Drive.open(at: left.path + "/drive")
            #expect(try after.replicas().isEmpty, "\(step)")
            try after.removeLeftovers()
            #expect(left.names == ["drive", "drive/cio-drive", "drive/replicas"], "\(step)")
            try Drive.open(at: again.path + "/drive")
                .delete(volume: Sample.volume, replica: Sample.replica)
            #expect(again.names == ["drive", "drive/cio-drive", "drive/replicas"], "\(step)")
        }
    }
}
