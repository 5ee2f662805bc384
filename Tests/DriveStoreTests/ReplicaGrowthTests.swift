import DriveFormat
import Foundation
import Glibc
import Replication
import Testing
import Units

@testable import DriveStore

@Suite struct ReplicaGrowthTests {
    private static let larger: UInt64 = 64 << 20

    private func size(_ drive: Drive, _ name: String) throws -> UInt64 {
        let path = drive.directory(of: Sample.volume) + "/" + name
        return try UInt64(
            #require(FileManager.default.attributesOfItem(atPath: path)[.size] as? Int))
    }

    /// Opens it as so large, and closes it again.
    private func opened(
        _ drive: Drive, size: UInt64, _ look: (inout OpenReplica) -> Void = { _ in }
    ) throws(DriveError) {
        var replica = try Sample.open(drive, size: size)
        look(&replica)
    }

    @Test func aReplicaGrowsWhenItIsOpenedForALargerVolume() throws {
        let scratch = Scratch()
        let drive = try Sample.drive(at: scratch)
        let state = ReplicaState(promised: 5, checkpoint: Stamp(4, 7))
        try opened(drive, size: Sample.size) { replica in
            putState(state, checksummed: Stamp(4, 7), to: &replica.files)
        }
        // Twice: what has grown stays so.
        for _ in 0..<2 {
            try opened(drive, size: Self.larger) { replica in
                #expect(replica.files.sizeBytes == Self.larger)
                #expect(replica.map.regionCount == 64)
                #expect(replica.checksums.pageCount == 16)
                #expect(replica.state.promised == 5 && replica.state.checkpoint == Stamp(4, 7))
                #expect(replica.files.slot.checksummed == Stamp(4, 7))
            }
        }
        #expect(try size(drive, "data") == Self.larger)
        #expect(throws: DriveError.self) { try opened(drive, size: Sample.size) }
    }

    /// A crash leaves any of the files longer, and the state as it was.
    @Test(arguments: [["data"], ["data", "checksums"], ["data", "checksums", "regions"]])
    func growthThatWasInterruptedGoesOn(_ names: [String]) throws {
        let scratch = Scratch()
        let drive = try Sample.drive(at: scratch)
        for name in names {
            let path = drive.directory(of: Sample.volume) + "/" + name
            let bytes =
                switch name {
                case "data": Self.larger
                case "checksums": ChecksumPage.fileBytes(volumeBytes: Self.larger)
                default: RegionPage.fileBytes(regionCount: Geometry.regionCount(Self.larger))
                }
            try #require(truncate(path, off_t(bytes)) == 0)
        }
        try opened(drive, size: Self.larger) { #expect($0.files.sizeBytes == Self.larger) }
    }

    @Test func nothingIsEverCutOff() throws {
        let scratch = Scratch()
        let drive = try Sample.drive(at: scratch)
        let path = drive.directory(of: Sample.volume) + "/data"
        try #require(truncate(path, 1 << 30) == 0)
        #expect(
            throws: DriveError.wrongSize(path: path, found: 1 << 30, expected: Self.larger)
        ) { try opened(drive, size: Self.larger) }
        #expect(try size(drive, "data") == 1 << 30)
    }
}
