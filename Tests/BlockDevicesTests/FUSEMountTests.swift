import BlockDevices
import FUSEProtocol
import Foundation
import Glibc
import Testing

extension DeviceTests {
    @Test func theFileIsTheDisk() throws {
        let scratch = Scratch()
        let path = scratch.path("disk")
        let disk = try MemoryDisk(at: path, sizeBytes: 1 << 20)
        let entry = try #require(try MountTable.entry(at: path))
        #expect(entry.filesystem == "fuse" && entry.source == "cio")
        #expect(entry.minor == disk.mount.connection)
        let file = open(path, O_RDWR | O_CLOEXEC)
        try #require(file >= 0)
        let content = noise(8192)
        #expect(pwrite(file, content, content.count, 4096) == content.count)
        #expect(fsync(file) == 0)
        #expect(disk.counts.flushes == 1)
        var back = [UInt8](repeating: 0, count: 8192)
        #expect(pread(file, &back, back.count, 4096) == back.count)
        #expect(back == content)
        #expect(ftruncate(file, 4096) == -1 && errno == EPERM)
        #expect(lseek(file, 0, SEEK_END) == 1 << 20)
        close(file)
        try disk.unmount()
        #expect(try MountTable.entry(at: path) == nil)
        #expect(try readFile(path).isEmpty)
    }

    @Test func theKernelsOfferIsAcceptedBeforeAnythingElse() throws {
        let scratch = Scratch()
        let mount = try FUSEMount.mount(at: scratch.path("disk"))
        // The floor of what is tested is a kernel that can send again.
        #expect(try mount.negotiate().canResend)
        // It has not been asked anything else.
        var byte: UInt8 = 0
        #expect(read(mount.descriptor, &byte, 1) == -1 && errno != EBADF)
        close(mount.descriptor)
        #expect(throws: BlockDeviceError.self) { try mount.negotiate() }
        try mount.unmountLazily()
    }

    @Test func aTakenNameIsAnError() throws {
        let scratch = Scratch()
        #expect(throws: BlockDeviceError.system(
            operation: "open", object: scratch.path("no/disk"), errno: ENOENT)
        ) { try FUSEMount.mount(at: scratch.path("no/disk")) }
        symlink("/etc/passwd", scratch.path("link"))
        #expect(throws: BlockDeviceError.system(
            operation: "open", object: scratch.path("link"), errno: ELOOP)
        ) { try FUSEMount.mount(at: scratch.path("link")) }
    }

    /// A process dies over requests that it has read; the next one has them sent again.
    @Test func requestsThatWereLostComeAgain() throws {
        let scratch = Scratch()
        let path = scratch.path("disk")
        let disk = try MemoryDisk(at: path, sizeBytes: 1 << 20)
        _ = try readFile(path)
        guard disk.counts.canResend else {
            print("skipped: this kernel cannot send requests again (needs Linux 6.9)")
            try disk.unmount()
            return
        }
        disk.loseRequests(true)
        let content = noise(4096)
        let writer = Blocking {
            let file = open(path, O_RDWR | O_CLOEXEC)
            defer { close(file) }
            return pwrite(file, content, 4096, 8192)
        }
        while disk.counts.lost == 0 { sched_yield() }
        disk.loseRequests(false)
        disk.resend()
        #expect(writer.wait() == 4096)
        #expect(disk.counts.resent == 1)
        #expect(Array(try readFile(path)[8192..<12288]) == content)
        try disk.unmount()
    }

    /// Nobody serves the disk, but somebody still holds its descriptor: only `abort` helps.
    @Test func abortFreesWhoeverHangs() throws {
        let scratch = Scratch()
        let path = scratch.path("disk")
        let disk = try MemoryDisk(at: path, sizeBytes: 1 << 20)
        disk.loseRequests(true)
        let reader = Blocking {
            let file = open(path, O_RDONLY | O_CLOEXEC)
            defer { close(file) }
            var byte: UInt8 = 0
            return read(file, &byte, 1)
        }
        while disk.counts.lost == 0 { sched_yield() }
        try FUSEMount.abort(connection: disk.mount.connection)
        #expect(reader.wait() == -1)
        try disk.unmount()
    }
}

/// A call that may hang, on a thread of its own.
final class Blocking: @unchecked Sendable {
    private let ended = DispatchSemaphore(value: 0)
    private var result = 0

    init(_ call: @escaping @Sendable () -> Int) {
        Thread.detachNewThread {
            self.result = call()
            self.ended.signal()
        }
    }

    func wait() -> Int {
        ended.wait()
        return result
    }
}
