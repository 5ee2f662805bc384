import DriveFormat
import Foundation
import Glibc
import Replication
import Testing
import Units

@testable import DriveStore

@Suite struct ReplicaFilesTests {
    private static let state = ReplicaState(
        promised: 5, promisedTo: Sample.id(5), promisedBoot: Sample.id(6), checkpoint: Stamp(4, 7),
        wholeBoot: Sample.id(7))

    /// What opening finds, without keeping the replica open.
    private func opened(
        _ drive: Drive, _ look: (inout OpenReplica) -> Void = { _ in }
    ) throws(DriveError) {
        var replica = try Sample.open(drive)
        look(&replica)
    }

    private func damage(_ drive: Drive, _ name: String, _ change: (inout [UInt8]) -> Void) throws {
        let url = URL(fileURLWithPath: drive.directory(of: Sample.volume) + "/" + name)
        var bytes = Array(try Data(contentsOf: url))
        change(&bytes)
        try Data(bytes).write(to: url)
    }

    @Test func anEmptyReplicaIsOpened() throws {
        let scratch = Scratch()
        let drive = try Sample.drive(at: scratch)
        try opened(drive) { replica in
            #expect(replica.state == ReplicaState())
            #expect(replica.map.regionCount == 10)
            #expect((0..<10).allSatisfy { replica.map[$0] == .zero })
            #expect(replica.files.sizeBytes == Sample.size)
            #expect(replica.files.path(of: replica.files.regions).hasSuffix("/regions"))
            let descriptors = [
                replica.files.data, replica.files.checksums, replica.files.regions,
                replica.files.state,
            ]
            #expect(Set(descriptors).count == 4)
            for descriptor in descriptors { #expect(fcntl(descriptor, F_GETFD) == FD_CLOEXEC) }
        }
    }

    /// The machine and the loop take the parts over, each its own.
    @Test func thePartsAreTakenOver() throws {
        let scratch = Scratch()
        let replica = try Sample.open(try Sample.drive(at: scratch))
        let map = replica.map
        let files = replica.files
        let checksums = replica.checksums
        #expect(map.regionCount == 10 && files.data >= 0 && checksums.pageCount == 3)
    }

    @Test func aSecondOpeningIsRefusedUntilTheFirstIsClosed() throws {
        let scratch = Scratch()
        let drive = try Sample.drive(at: scratch)
        let data = drive.directory(of: Sample.volume) + "/data"
        try opened(drive) { _ in #expect(isInUse(drive) == .inUse(path: data)) }
        try opened(drive)
    }

    private func isInUse(_ drive: Drive) -> DriveError? {
        driveError { () throws(DriveError) in try Sample.tryToOpen(drive) }
    }

    /// I/O that goes on after the descriptor is closed keeps the lock: a duplicate stands for it.
    @Test func theLockLastsAsLongAsTheDescription() throws {
        let scratch = Scratch()
        let drive = try Sample.drive(at: scratch)
        var duplicate: Int32 = -1
        try opened(drive) { duplicate = dup($0.files.data) }
        #expect(isInUse(drive) != nil)
        Glibc.close(duplicate)
        try opened(drive)
    }

    @Test func statesAreKeptInTurn() throws {
        let scratch = Scratch()
        let drive = try Sample.drive(at: scratch)
        var offsets: [UInt64] = []
        for epoch in 1...3 as ClosedRange<UInt64> {
            try opened(drive) { replica in
                #expect(replica.state.promised == epoch - 1)
                var state = Self.state
                state.promised = epoch
                state.checkpoint = Stamp(epoch, 1)
                offsets.append(putState(state, checksummed: Stamp(epoch, 1), to: &replica.files))
            }
        }
        #expect(offsets == [4096, 0, 4096])
        try opened(drive) { replica in
            #expect(replica.state.promised == 3 && replica.state.promisedTo == Sample.id(5))
            #expect(replica.state.wholeBoot == Sample.id(7))
            #expect(replica.files.slot.checksummed == Stamp(3, 1))
        }
    }

    /// A state whose write has failed is followed by one with the checkpoint before it.
    @Test func aStateMayFallBack() throws {
        let scratch = Scratch()
        let drive = try Sample.drive(at: scratch)
        try opened(drive) { replica in
            var state = Self.state
            putState(state, checksummed: Stamp(4, 7), to: &replica.files)
            state.checkpoint = Stamp(4, 6)
            putState(state, to: &replica.files)
        }
        try opened(drive) { replica in
            #expect(replica.state.checkpoint == Stamp(4, 6))
            #expect(replica.files.slot.checksummed == Stamp(4, 6))
        }
    }

    @Test func regionsAreKept() throws {
        let scratch = Scratch()
        let size: UInt64 = 3 << 30
        let drive = try Sample.drive(at: scratch, size: size)
        var first = try Sample.open(drive, size: size)
        putState(Self.state, to: &first.files)
        first.map.load(3, Stamp(5, 1))
        first.map.load(2050, Stamp(4, 9))
        for page in [0, 8] {
            put(first.files.regions, at: UInt64(page) * 4096) {
                #expect(
                    first.files.encodeRegions(page: page, of: first.map, to: $0) == UInt64(page)
                        * 4096)
            }
        }
        close(first)
        let second = try Sample.open(drive, size: size)
        let written = (0..<second.map.regionCount).filter { second.map[$0] != .zero }
        #expect(written == [3, 2050])
        #expect(second.map[3] == Stamp(5, 1) && second.map[2050] == Stamp(4, 9))
        #expect(second.map.stamps(ofPage: 4) == nil, "what is a hole takes no memory")
    }

    private func close(_ replica: consuming OpenReplica) {}

    @Test func whatDoesNotBelongIsRefused() throws {
        let scratch = Scratch()
        let drive = try Sample.drive(at: scratch)
        let place = drive.directory(of: Sample.volume)
        let state = place + "/state"
        let cases: [(DriveError, (inout ReplicaExpectation) -> Void)] = [
            (.otherCluster(path: state, found: Sample.id(1)), { $0.cluster = Sample.id(9) }),
            (.otherVolume(path: state, found: Sample.volume), { $0.volume = Sample.id(9) }),
            (.otherReplica(path: state, found: Sample.replica), { $0.replica = Sample.id(9) }),
            (
                .wrongSize(path: state, found: Sample.size, expected: 1 << 20),
                { $0.sizeBytes = 1 << 20 }
            ),
        ]
        for (error, change) in cases {
            var wanted = Sample.expectation
            change(&wanted)
            #expect(
                driveError { () throws(DriveError) in
                    try ReplicaFiles.open(place, expecting: wanted)
                } == error)
        }
        let nowhere = driveError { () throws(DriveError) in
            try ReplicaFiles.open(place + "x", expecting: Sample.expectation)
        }
        #expect(nowhere == .missing(path: place + "x/data"))
    }

    @Test func filesOfTheWrongSizeAreRefused() throws {
        for name in ["data", "checksums", "regions", "state"] {
            let scratch = Scratch()
            let drive = try Sample.drive(at: scratch)
            try damage(drive, name) { $0.removeLast(4096) }
            let error = driveError { () throws(DriveError) in try opened(drive) }
            guard case .wrongSize(let path, let found, let expected) = error else {
                Issue.record("\(name): \(String(describing: error))")
                continue
            }
            #expect(path.hasSuffix("/" + name) && found + 4096 == expected)
        }
    }

    @Test func aDamagedMapIsRefused() throws {
        let scratch = Scratch()
        let drive = try Sample.drive(at: scratch)
        try damage(drive, "regions") { $0[16 * 2] = 1 }
        let path = drive.directory(of: Sample.volume) + "/regions"
        #expect(throws: DriveError.refused(path: path, .damagedRegion(2))) { try opened(drive) }
    }

    /// The newest slot of the state is lost, and the older one counts: the map knows better.
    @Test func aStateOlderThanItsMapIsRefused() throws {
        let scratch = Scratch()
        let drive = try Sample.drive(at: scratch)
        try opened(drive) { replica in
            replica.map.load(1, Stamp(1, 1))
            put(replica.files.regions, at: 0) { bytes in
                _ = replica.files.encodeRegions(page: 0, of: replica.map, to: bytes)
            }
        }
        let error = driveError { () throws(DriveError) in try opened(drive) }
        #expect("\(error!)".contains("a write of epoch 1, and the state says 0"))
    }

    @Test func aCheckpointAboveThePromiseIsRefused() throws {
        let scratch = Scratch()
        let drive = try Sample.drive(at: scratch)
        try opened(drive) { replica in
            var state = Self.state
            state.checkpoint = Stamp(6, 1)
            putState(state, to: &replica.files)
        }
        let error = driveError { () throws(DriveError) in try opened(drive) }
        guard case .contradiction = error else {
            Issue.record("\(String(describing: error))")
            return
        }
    }

    @Test func aRegionBeyondTheVolumeIsRefused() throws {
        let scratch = Scratch()
        let drive = try Sample.drive(at: scratch)
        var stamps = [Stamp](repeating: .zero, count: RegionPage.stampsPerPage)
        stamps[10] = Stamp(1, 1)
        try damage(drive, "regions") { bytes in
            bytes.withUnsafeMutableBytes {
                RegionPage.encode(stamps, index: 0, to: $0.baseAddress!)
            }
        }
        let path = drive.directory(of: Sample.volume) + "/regions"
        #expect(throws: DriveError.refused(path: path, .damagedRegion(10))) { try opened(drive) }
    }

    @Test func storedChecksumsAreNoticed() throws {
        let scratch = Scratch()
        let drive = try Sample.drive(at: scratch)
        try opened(drive) { replica in
            put(replica.files.checksums, at: 4096) { $0.storeBytes(of: 7, as: UInt8.self) }
        }
        try opened(drive) { replica in
            #expect(replica.checksums.prepare(ByteRange(offset: 0, length: 4096)) == .ready)
            #expect(
                replica.checksums.prepare(ByteRange(offset: 4 << 20, length: 4096))
                    == .load(page: 1))
            #expect(
                replica.checksums.prepare(ByteRange(offset: 5 << 20, length: 4096))
                    == .loading(page: 1))
            #expect(replica.checksums.prepare(ByteRange(offset: 8 << 20, length: 4096)) == .ready)
        }
    }
}
