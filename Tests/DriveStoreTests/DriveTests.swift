import DriveFormat
import Foundation
import Testing
import Units

@testable import DriveStore

@Suite struct DriveTests {
    @Test func aDriveIsCreatedAndOpened() throws {
        let scratch = Scratch()
        let path = scratch.path + "/drive"
        let drive = try Drive.create(at: path, Sample.identity)
        #expect(try Drive.open(at: path) == drive)
        #expect(try Drive.open(at: path, of: Sample.identity.cluster) == drive)
        #expect(try drive.replicas().isEmpty)
        #expect(scratch.names == ["drive", "drive/cio-drive", "drive/replicas"])
        let space = try drive.space()
        #expect(space.free.bytes > 0 && space.free < space.total)
        _ = try drive.filesystem()
    }

    @Test func anotherClustersDriveIsRefused() throws {
        let scratch = Scratch()
        _ = try Drive.create(at: scratch.path, Sample.identity)
        #expect(
            driveError { () throws(DriveError) in try Drive.open(at: scratch.path, of: Sample.id(9))
            }
                == .otherCluster(path: scratch.path, found: Sample.identity.cluster))
    }

    @Test func aDirectoryThatIsNoDriveIsMissing() {
        let scratch = Scratch()
        #expect(
            driveError { () throws(DriveError) in try Drive.open(at: scratch.path) }
                == .missing(path: scratch.path + "/cio-drive"))
    }

    @Test func aDriveIsNotCreatedTwice() throws {
        let scratch = Scratch()
        _ = try Drive.create(at: scratch.path, Sample.identity)
        let before = try scratch.bytes("cio-drive")
        #expect(throws: DriveError.foreign(path: scratch.path, reason: "it is a drive already")) {
            try Drive.create(at: scratch.path, DriveIdentity(cluster: .zero, drive: .zero))
        }
        #expect(try scratch.bytes("cio-drive") == before)
    }

    @Test func replicasOfUnknownOriginAreLeftAlone() throws {
        let scratch = Scratch()
        try FileManager.default.createDirectory(
            atPath: scratch.path + "/replicas/something", withIntermediateDirectories: true)
        #expect(throws: DriveError.self) { try Drive.create(at: scratch.path, Sample.identity) }
        #expect(scratch.names == ["replicas", "replicas/something"])
    }

    @Test func foreignIdentitiesAreLeftAlone() throws {
        let later = Sample.identity.text.replacingOccurrences(of: "format 1", with: "format 2")
        for (text, fault) in [("mine", FormatFault.foreign), (later, .damagedIdentity)] {
            let scratch = Scratch()
            try scratch.write("cio-drive", Array(text.utf8))
            #expect(throws: DriveError.refused(path: scratch.path + "/cio-drive", fault)) {
                try Drive.open(at: scratch.path)
            }
            #expect(try scratch.bytes("cio-drive") == Array(text.utf8))
        }
    }

    /// A crash while the drive was made: it is made again.
    @Test func anUnfinishedDriveIsMadeAgain() throws {
        let scratch = Scratch()
        try FileManager.default.createDirectory(
            atPath: scratch.path + "/replicas", withIntermediateDirectories: true)
        try scratch.write("cio-drive.new", Array("cio dri".utf8))
        let drive = try Drive.create(at: scratch.path, Sample.identity)
        #expect(try Drive.open(at: scratch.path) == drive)
        #expect(scratch.names == ["cio-drive", "replicas"])
    }

    @Test func errorsSayWhatHelps() throws {
        let readOnly = DriveError.system(operation: "open", path: "/d/data", errno: EROFS)
        #expect(
            "\(readOnly)".hasPrefix("open /d/data: Read-only file system (the drive is mounted"))
        #expect("\(DriveError.inUse(path: "/d"))".contains("still in use"))
        let scratch = Scratch()
        let file = scratch.path + "/file"
        try scratch.write("file", [])
        #expect(
            throws: DriveError.system(operation: "open", path: file + "/cio-drive", errno: ENOTDIR)
        ) {
            try Drive.open(at: file)
        }
    }
}
