import Glibc
import Testing

@testable import BlockDevices

extension DeviceTests {
    static let disk512 = 512 << 20

    /// The life of a mounted volume: made, mounted, written, trimmed, unmounted, checked, and
    /// mounted again over another device.
    @Test(arguments: FilesystemKind.allCases)
    func aFilesystemLivesOnTheDisk(kind: FilesystemKind) throws {
        let scratch = Scratch()
        let memory = MemoryDisk.Memory()
        let content = noise(3_000_000)
        let folder = scratch.path("volume")
        let (checker, checking) =
            switch kind {
            case .xfs: ("xfs_repair", ["-n"])
            case .ext4: ("e2fsck", ["-f", "-n"])
            case .btrfs: ("btrfs", ["check"])
            }
        do {
            let disk = try MemoryDisk(
                at: scratch.path("disk"), sizeBytes: Self.disk512, memory: memory)
            let loop = try LoopDevice.attach(to: scratch.path("disk"))
            #expect(try Filesystem.content(of: loop.path) == .blank)
            try Filesystem.make(kind, on: loop.path, overwriting: false)
            #expect(try Filesystem.content(of: loop.path) == .filesystem(kind))
            #expect(throws: BlockDeviceError.notBlank(device: loop.path)) {
                try Filesystem.make(kind, on: loop.path, overwriting: false)
            }
            try Filesystem.mount(kind, on: loop.path, at: folder)
            try writeFile("\(folder)/file", content)
            #expect(disk.counts.flushes > 0)
            try writeFile("\(folder)/gone", noise(8 << 20))
            unlink("\(folder)/gone")
            try syncFolder(folder)
            let before = disk.counts.discards
            try Tool.run("fstrim", [folder])
            #expect(disk.counts.discards > before)
            try Filesystem.unmount(folder)
            try Tool.run(checker, checking + [loop.path])
            try loop.detach()
            try disk.unmount()
        }
        let disk = try MemoryDisk(
            at: scratch.path("again"), sizeBytes: Self.disk512, memory: memory)
        let loop = try LoopDevice.attach(to: scratch.path("again"))
        try Filesystem.mount(kind, on: loop.path, at: folder)
        #expect(try readFile("\(folder)/file") == content)
        try Filesystem.unmount(folder)
        try loop.detach()
        try disk.unmount()
        #expect(try Leftovers.find(under: scratch.folder).isEmpty)
    }

    @Test(arguments: FilesystemKind.allCases)
    func anInterruptedMakingIsOverwritten(kind: FilesystemKind) throws {
        let scratch = Scratch()
        let disk = try MemoryDisk(at: scratch.path("disk"), sizeBytes: Self.disk512)
        let loop = try LoopDevice.attach(to: scratch.path("disk"))
        try writeFile(loop.path, noise(1 << 20))
        #expect(try Filesystem.content(of: loop.path) == .other)
        #expect(throws: BlockDeviceError.notBlank(device: loop.path)) {
            try Filesystem.make(kind, on: loop.path, overwriting: false)
        }
        try Filesystem.make(kind, on: loop.path, overwriting: true)
        #expect(try Filesystem.content(of: loop.path) == .filesystem(kind))
        try loop.detach()
        try disk.unmount()
    }

    /// A takeover on one machine: the dead mount is still there when the new one comes.
    @Test(arguments: FilesystemKind.allCases)
    func theSameFilesystemMountsBesideItsDeadMount(kind: FilesystemKind) throws {
        let scratch = Scratch()
        let memory = MemoryDisk.Memory()
        let old = try MemoryDisk(at: scratch.path("old"), sizeBytes: Self.disk512, memory: memory)
        let oldLoop = try LoopDevice.attach(to: scratch.path("old"))
        try Filesystem.make(kind, on: oldLoop.path, overwriting: false)
        try Filesystem.mount(kind, on: oldLoop.path, at: scratch.path("v1"))
        try writeFile(scratch.path("v1/file"), [1, 2, 3])
        old.die()

        let new = try MemoryDisk(at: scratch.path("new"), sizeBytes: Self.disk512, memory: memory)
        let newLoop = try LoopDevice.attach(to: scratch.path("new"))
        // Its journal has never been replayed.
        try Filesystem.check(kind, on: newLoop.path)
        try Filesystem.mount(kind, on: newLoop.path, at: scratch.path("v2"))
        #expect(try Filesystem.isMounted(newLoop.path, at: scratch.path("v2")))
        #expect(try !Filesystem.isMounted(newLoop.path, at: scratch.path("v1")))
        #expect(try !Filesystem.isMounted(newLoop.path, at: scratch.folder))
        #expect(try readFile(scratch.path("v2/file")) == [1, 2, 3])
        // Nor does it stand in the way of any other volume.
        let other = try MemoryDisk(at: scratch.path("other"), sizeBytes: Self.disk512)
        let otherLoop = try LoopDevice.attach(to: scratch.path("other"))
        try Filesystem.make(kind, on: otherLoop.path, overwriting: false)
        try otherLoop.detach()
        try other.unmount()

        try Filesystem.unmount(scratch.path("v2"))
        try newLoop.detach()
        try new.unmount()
    }

    /// What cannot be repaired without a question is left as it is, and told.
    @Test(arguments: [(FilesystemKind.ext4, 4096, "e2fsck -p"), (.xfs, 512, "xfs_repair -n")])
    func aDamagedFilesystemIsRefused(kind: FilesystemKind, at: Int, tool: String) throws {
        let scratch = Scratch()
        let disk = try MemoryDisk(at: scratch.path("disk"), sizeBytes: Self.disk512)
        let loop = try LoopDevice.attach(to: scratch.path("disk"))
        try Filesystem.make(kind, on: loop.path, overwriting: false)
        let file = open(loop.path, O_RDWR | O_CLOEXEC)
        let damage = noise(1536)
        #expect(pwrite(file, damage, damage.count, off_t(at)) == damage.count)
        close(file)
        do {
            try Filesystem.check(kind, on: loop.path)
            try Filesystem.mount(kind, on: loop.path, at: scratch.path("volume"))
            Issue.record("it was mounted")
        } catch .tool(let command, _, let output) {
            #expect(command == "\(tool) \(loop.path)")
            #expect(!output.isEmpty)
        }
        try loop.detach()
        try disk.unmount()
    }

    @Test func aFailedToolSaysWhatAndWhy() throws {
        let scratch = Scratch()
        let disk = try MemoryDisk(at: scratch.path("disk"), sizeBytes: 1 << 20)
        let loop = try LoopDevice.attach(to: scratch.path("disk"))
        do {
            try Filesystem.make(.xfs, on: loop.path, overwriting: false)
            Issue.record("an XFS of 1 MiB was made")
        } catch .tool(let command, .exited(let code), let output) {
            #expect(command == "mkfs.xfs -q -K \(loop.path)")
            #expect(code != 0)
            #expect(!output.isEmpty)
        }
        #expect(throws: BlockDeviceError.self) {
            try Filesystem.mount(.ext4, on: loop.path, at: scratch.path("volume"))
        }
        try loop.detach()
        try disk.unmount()
    }
}
