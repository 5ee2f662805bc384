import Foundation
import Glibc
import Testing

@testable import BlockDevices

@Suite(.serialized) struct MountPointTests {
    private let folder = NSTemporaryDirectory() + "/cio-mount-point-\(UUID().uuidString)"

    private func withFolder(_ body: () throws -> Void) throws {
        try FileManager.default.createDirectory(
            atPath: folder, withIntermediateDirectories: true)
        defer {
            #expect(MountPoint.release(in: folder) == [])
            try? FileManager.default.removeItem(atPath: folder)
            #expect(access(folder, F_OK) != 0)
        }
        try body()
    }

    private func canWrite(in path: String) -> Bool {
        let file = open(path + "/file", O_WRONLY | O_CREAT | O_CLOEXEC, 0o600)
        if file >= 0 { close(file) }
        return file >= 0
    }

    @Test func nobodyCanWriteWhereNothingIsMounted() throws {
        try withFolder {
            for _ in 0..<2 {
                try MountPoint.prepare(folder + "/vd1")
                #expect(!canWrite(in: folder + "/vd1"))
            }
        }
    }

    @Test func somethingCanStillBeMountedThere() throws {
        try withFolder {
            let path = folder + "/vd1"
            try MountPoint.prepare(path)
            try Mounting.mount("tmpfs", at: path, type: "tmpfs")
            #expect(canWrite(in: path))
            try MountPoint.prepare(path)
            #expect(canWrite(in: path))
            try Mounting.unmount(path)
            #expect(!canWrite(in: path))
        }
    }

    /// A filesystem without such a flag: proc stands for all of them, but it has no folders of
    /// ours. A folder on tmpfs has one or none, by the kernel's age; both ways hold.
    @Test func itHoldsOnAnyFilesystem() throws {
        try withFolder {
            try Mounting.mount("tmpfs", at: folder, type: "tmpfs")
            defer { #expect(throws: Never.self) { try Mounting.unmountLazily(folder) } }
            try MountPoint.prepare(folder + "/vd1")
            #expect(!canWrite(in: folder + "/vd1"))
            #expect(MountPoint.release(in: folder) == [])
            #expect(canWrite(in: folder + "/vd1"))
        }
    }

    @Test func otherFoldersAreLeftAlone() throws {
        try withFolder {
            for name in ["vd", "vdx", "data"] {
                try FileManager.default.createDirectory(
                    atPath: "\(folder)/\(name)", withIntermediateDirectories: true)
            }
            #expect(MountPoint.release(in: folder) == [])
            #expect(MountPoint.release(in: "/nowhere") == [])
        }
    }
}
