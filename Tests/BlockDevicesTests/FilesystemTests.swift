import Testing

@testable import BlockDevices

@Suite struct FilesystemTests {
    private func start(_ changes: [Int: UInt8]) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: Filesystem.probedBytes)
        for (index, byte) in changes { bytes[index] = byte }
        return bytes
    }

    @Test func contentsAreTold() {
        let xfs: [Int: UInt8] = [0: 0x58, 1: 0x46, 2: 0x53, 3: 0x42]
        #expect(Filesystem.content(start([:])) == .blank)
        #expect(Filesystem.content(start(xfs)) == .filesystem(.xfs))
        #expect(Filesystem.content(start(xfs.merging([126: 1]) { $1 })) == .other)
        #expect(Filesystem.content(start([1080: 0x53, 1081: 0xef])) == .filesystem(.ext4))
        #expect(Filesystem.content(start([1080: 0x53])) == .other)
        #expect(Filesystem.content(start([(64 << 10) + 64: 0x5f])) == .other)
    }
}
