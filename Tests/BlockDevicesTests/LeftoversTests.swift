import Foundation
import Glibc
import Testing

@testable import BlockDevices

extension DeviceTests {
    /// A whole stack: disk, loop device, filesystem, mounted outside of the folder.
    private func stack(
        _ scratch: Scratch, mountedAt folder: String
    ) throws -> (MemoryDisk, LoopDevice) {
        mkdir(scratch.path("run"), 0o700)
        let disk = try MemoryDisk(at: scratch.path("run/disk"), sizeBytes: 64 << 20)
        let loop = try LoopDevice.attach(to: scratch.path("run/disk"))
        try Filesystem.make(.ext4, on: loop.path, overwriting: false)
        try Filesystem.mount(.ext4, on: loop.path, at: folder)
        return (disk, loop)
    }

    @Test(arguments: [true, false])
    func everythingOfADeadProcessIsCleared(serverDies: Bool) throws {
        let scratch = Scratch()
        let folder = scratch.path("volume")
        let (disk, loop) = try stack(scratch, mountedAt: folder)
        let file = open("\(folder)/open", O_WRONLY | O_CREAT | O_CLOEXEC, 0o600)
        #expect(file >= 0)
        // Dead, or stopped over a write with its descriptor held.
        if serverDies { disk.die() } else { disk.loseRequests(true) }

        let left = try Leftovers.find(under: scratch.path("run"))
        #expect(left.filesystems == [folder])
        #expect(left.loops == [loop])
        #expect(
            left.disks
                == [.init(path: scratch.path("run/disk"), connection: disk.mount.connection)])
        #expect(left.clear().isEmpty)
        #expect(try MountTable.entry(at: folder) == nil)
        #expect(try MountTable.entry(at: scratch.path("run/disk")) == nil)
        close(file)
        disk.die()
        while LoopDevice.attached().contains(loop), loop.backingPath != nil { sched_yield() }
        #expect(try Leftovers.find(under: scratch.folder).isEmpty)
    }

    @Test func aWholeDiskIsTakenOutAndTheRestIsCleared() throws {
        let scratch = Scratch()
        let folder = scratch.path("volume")
        let (disk, loop) = try stack(scratch, mountedAt: folder)
        let other = try MemoryDisk(at: scratch.path("run/other"), sizeBytes: 1 << 20)
        let path = scratch.path("run/disk")
        let connection = disk.mount.connection

        var left = try Leftovers.find(under: scratch.path("run"))
        let all = left
        #expect(try left.takeOut(path, connection: connection + 1) == nil)
        #expect(
            try left.takeOut(scratch.path("run/other"), connection: other.mount.connection) == nil)
        #expect(left == all)
        let whole = try #require(try left.takeOut(path, connection: connection))
        #expect(whole.loop == loop && whole.mountPoints == [folder])
        #expect(left.clear().isEmpty)
        other.die()
        #expect(try MountTable.entry(at: scratch.path("run/other")) == nil)
        try writeFile("\(folder)/file", noise(4096))

        let rest = try Leftovers.find(disk: path)
        #expect(rest.loops == [loop] && rest.filesystems == [folder] && rest.disks.count == 1)
        #expect(rest.clear().isEmpty)
        disk.die()
        #expect(try Leftovers.find(disk: path).disks.isEmpty)
    }

    @Test func foreignThingsStay() throws {
        let scratch = Scratch()
        let (disk, loop) = try stack(scratch, mountedAt: scratch.path("volume"))
        mkdir(scratch.path("other"), 0o700)
        #expect(try Leftovers.find(under: scratch.path("other")).isEmpty)
        mkdir(scratch.path("ru"), 0o700)
        #expect(try Leftovers.find(under: scratch.path("ru")).isEmpty)
        // The filesystem's own folder holds nothing of ours: a drive may be mounted like this.
        #expect(try Leftovers.find(under: scratch.path("volume")).isEmpty)
        #expect(throws: BlockDeviceError.self) { try Leftovers.find(under: scratch.path("none")) }
        try Filesystem.unmount(scratch.path("volume"))
        try loop.detach()
        try disk.unmount()
    }
}
