import BlockDevices
import Foundation
import Glibc
import Testing

extension DeviceTests {
    private func sysfs(_ loop: LoopDevice, _ name: String) throws -> String {
        try String(contentsOfFile: "/sys/block/loop\(loop.number)/\(name)", encoding: .utf8)
            .trimmingCharacters(in: .newlines)
    }

    @Test func attachesWithDirectIOAndBlocksOf4KiB() throws {
        let scratch = Scratch()
        let disk = try MemoryDisk(at: scratch.path("disk"), sizeBytes: 64 << 20)
        let loop = try LoopDevice.attach(to: scratch.path("disk"))
        #expect(try sysfs(loop, "loop/dio") == "1")
        #expect(try sysfs(loop, "queue/logical_block_size") == "4096")
        #expect(try sysfs(loop, "size") == "\(64 << 11)")
        #expect(loop.backingPath == scratch.path("disk"))
        #expect(LoopDevice.attached(under: scratch.folder) == [loop])
        #expect(LoopDevice.attached(under: scratch.path("dis")).isEmpty)
        try loop.detach()
        #expect(LoopDevice.attached(under: scratch.folder).isEmpty)
        try loop.detach()
        try disk.unmount()
    }

    @Test func growsWithItsDisk() throws {
        let scratch = Scratch()
        let disk = try MemoryDisk(at: scratch.path("disk"), sizeBytes: 64 << 20)
        let loop = try LoopDevice.attach(to: scratch.path("disk"))
        disk.resize(to: 128 << 20)
        try loop.updateCapacity(of: scratch.path("disk"))
        #expect(try sysfs(loop, "size") == "\(128 << 11)")
        try loop.detach()
        try disk.unmount()
    }

    /// The kernel takes no size from attributes that a write has overtaken: the device would be
    /// larger than its file, and fail what is read beyond the old end.
    @Test func growsUnderWrites() throws {
        let scratch = Scratch()
        let disk = try MemoryDisk(at: scratch.path("disk"), sizeBytes: 64 << 20)
        let loop = try LoopDevice.attach(to: scratch.path("disk"))
        disk.holdWrites()
        let writers = (0..<8).map { index in
            Blocking {
                let file = open(loop.path, O_WRONLY | O_CLOEXEC)
                defer { close(file) }
                let count = pwrite(file, noise(4096), 4096, off_t(index << 20))
                return fsync(file) == 0 ? count : -1
            }
        }
        while disk.counts.held.count < writers.count { usleep(1000) }
        disk.resize(to: 128 << 20)
        try loop.updateCapacity(of: scratch.path("disk"))

        let file = open(loop.path, O_RDONLY | O_CLOEXEC)
        var last = [UInt8](repeating: 1, count: 4096)
        #expect(pread(file, &last, last.count, (128 << 20) - 4096) == last.count)
        #expect(last.allSatisfy { $0 == 0 })
        close(file)
        #expect(!disk.counts.held.isEmpty)
        disk.releaseWrites()
        for writer in writers { #expect(writer.wait() == 4096) }
        try loop.detach()
        try disk.unmount()
    }

    @Test func manyAttachAtOnce() throws {
        let scratch = Scratch()
        let disks = try (0..<8).map {
            try MemoryDisk(at: scratch.path("disk\($0)"), sizeBytes: 1 << 20)
        }
        let calls = (0..<8).map { index in
            let path = scratch.path("disk\(index)")
            return Blocking { (try? LoopDevice.attach(to: path)).map { Int($0.number) } ?? -1 }
        }
        let numbers = calls.map { $0.wait() }
        #expect(!numbers.contains(-1))
        #expect(Set(numbers).count == 8)
        for number in numbers { try LoopDevice(number: UInt32(number)).detach() }
        for disk in disks { try disk.unmount() }
    }

    @Test func aMissingFileIsAnError() {
        #expect(
            throws: BlockDeviceError.system(operation: "open", object: "/no/disk", errno: ENOENT)
        ) { try LoopDevice.attach(to: "/no/disk") }
    }
}
