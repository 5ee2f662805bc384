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
