import BlockDevices
import EngineCommands
import Foundation
import Glibc
import Ring
import Synchronization
import Testing
import Units

@testable import Engine

/// The volume as a FUSE file, as loop devices use it. Needs root and /dev/fuse.
@Suite(
    .serialized,
    .enabled(if: getuid() == 0 && access("/dev/fuse", R_OK) == 0, "needs root and /dev/fuse"))
struct DiskTests {
    @Test("Bytes go through the FUSE file to every copy", arguments: ReplicationTests.kinds)
    func writeAndRead(_ kind: EngineKind) throws {
        let cluster = try TestCluster(kind)
        let node = cluster.nodes[0]
        try cluster.open(at: node)
        let path = node.directory + "/vd1"
        let mount = try FUSEMount.mount(at: path)
        node.post(.serveFUSE(cluster.volume, descriptor: mount.descriptor))
        defer { try? mount.unmountLazily() }
        let file = open(path, O_RDWR)
        try #require(file >= 0)
        var status = stat()
        fstat(file, &status)
        #expect(UInt64(status.st_size) == cluster.sizeBytes)
        let places: [(off_t, Int)] = [
            (0, 4096), ((1 << 20) - 4096, 8192), (3 << 20, 3 << 20), (8 << 20 | 512, 1024),
            ((12 << 20) - 512, (1 << 20) + 1024),
        ]
        for (offset, count) in places {
            let bytes = ReplicationTests.pattern(count, at: UInt64(offset))
            #expect(pwrite(file, bytes, count, offset) == count)
        }
        #expect(fsync(file) == 0)
        try cluster.expectEqualCopies()
        posix_fadvise(file, 0, 0, POSIX_FADV_DONTNEED)
        for (offset, count) in places {
            var bytes = [UInt8](repeating: 0, count: count)
            #expect(pread(file, &bytes, count, offset) == count)
            #expect(bytes == ReplicationTests.pattern(count, at: UInt64(offset)))
        }
        // A hole of whole blocks, and zeros over parts of blocks.
        let script = """
            fallocate --punch-hole -o \(3 << 20) -l \(1 << 20) \(path) &&
            fallocate --zero-range --keep-size -o \((12 << 20) - 512) -l 1024 \(path)
            """
        #expect(try Shell.run(script) == 0)
        posix_fadvise(file, 0, 0, POSIX_FADV_DONTNEED)
        var bytes = [UInt8](repeating: 1, count: 1 << 20)
        #expect(pread(file, &bytes, bytes.count, 3 << 20) == bytes.count)
        #expect(bytes.allSatisfy { $0 == 0 })
        close(file)
        try mount.unmountLazily()
        try cluster.control.wait("the front end to close") { reports in
            reports.contains {
                if case .frontEndClosed(cluster.volume) = $0.report { true } else { false }
            }
        }
        try cluster.expectEqualCopies()
    }

    @Test("What a dead engine has not answered is done by the next", arguments: ReplicationTests.kinds)
    func survivesItsEngine(_ kind: EngineKind) throws {
        let cluster = try TestCluster(kind)
        let node = cluster.nodes[0]
        try cluster.open(at: node)
        let path = node.directory + "/vd1"
        let mount = try FUSEMount.mount(at: path)
        defer { try? mount.unmountLazily() }
        let held = fcntl(mount.descriptor, F_DUPFD_CLOEXEC, 3)
        node.post(.serveFUSE(cluster.volume, descriptor: mount.descriptor))
        let writer = try Writer(path)
        while writer.count < 50 { sched_yield() }
        for _ in 1...3 {
            node.kill()
            let before = writer.count
            try cluster.start(node)
            try cluster.open(at: node)
            let back = fcntl(held, F_DUPFD_CLOEXEC, 3)
            node.post(.serveFUSE(cluster.volume, descriptor: back, isResumed: true))
            while writer.count < before + 50, writer.failure == 0 { sched_yield() }
        }
        try writer.end()
        // One more, over an idle disk.
        node.kill()
        try cluster.start(node)
        try cluster.open(at: node)
        node.post(.serveFUSE(cluster.volume, descriptor: held, isResumed: true))
        try cluster.rebuildStale(from: 0)
        try writer.verify()
        try cluster.expectEqualCopies()
    }

    @Test("A filesystem on the loop device keeps its files", arguments: ReplicationTests.kinds)
    func filesystem(_ kind: EngineKind) throws {
        let cluster = try TestCluster(kind, sizeBytes: 512 << 20)
        let node = cluster.nodes[0]
        try cluster.open(at: node)
        let path = node.directory + "/vd1"
        let mount = try FUSEMount.mount(at: path)
        node.post(.serveFUSE(cluster.volume, descriptor: mount.descriptor))
        defer { try? mount.unmountLazily() }
        let loop = try LoopDevice.attach(to: path)
        defer { try? loop.detach() }
        let script = """
            set -e; d=\(node.directory)/mnt; mkdir -p $d
            mkfs.ext4 -q \(loop.path); mount \(loop.path) $d
            head -c 50000000 /dev/urandom > $d/a; cp $d/a $d/b; sync
            echo 1 > /proc/sys/vm/drop_caches
            cmp $d/a $d/b; rm $d/a; fstrim $d; cmp $d/b $d/b; umount $d; e2fsck -fn \(loop.path)
            """
        #expect(try Shell.run(script) == 0)
        try cluster.expectEqualCopies()
    }
}

/// Writes block after block through a file, flushes now and then, and knows what it has written.
private final class Writer: Sendable {
    private struct State {
        var count = 0
        var failure: Int32 = 0
        var isEnding = false
    }

    private static let blockCount = 1024
    private let file: Int32
    private let state = Mutex(State())
    private let ended = DispatchSemaphore(value: 0)

    init(_ path: String) throws {
        // Past the page cache: each write is one request.
        file = open(path, O_RDWR | O_CLOEXEC | OpenFlags.direct)
        try #require(file >= 0, "open \(path): \(errno)")
        Thread.detachNewThread { [self] in
            while !state.withLock({ $0.isEnding || $0.failure != 0 }) { writeNext() }
            ended.signal()
        }
    }

    deinit { close(file) }

    var count: Int { state.withLock { $0.count } }
    var failure: Int32 { state.withLock { $0.failure } }

    func end() throws {
        state.withLock { $0.isEnding = true }
        ended.wait()
        #expect(failure == 0)
    }

    /// Every block holds what was written into it last.
    func verify() throws {
        let count = count
        for number in max(0, count - Self.blockCount)..<count {
            let (offset, expected) = Self.block(number)
            let bytes = Self.buffer()
            defer { bytes.deallocate() }
            #expect(pread(file, bytes.baseAddress, bytes.count, offset) == bytes.count)
            #expect(bytes.elementsEqual(expected), "block \(number)")
        }
    }

    private func writeNext() {
        let number = count
        let (offset, content) = Self.block(number)
        let bytes = Self.buffer()
        defer { bytes.deallocate() }
        bytes.copyBytes(from: content)
        let isDone = pwrite(file, bytes.baseAddress, bytes.count, offset) == bytes.count
            && (number % 16 > 0 || fsync(file) == 0)
        let code = errno
        state.withLock { state in
            if isDone { state.count += 1 } else { state.failure = code }
        }
    }

    private static func block(_ number: Int) -> (off_t, [UInt8]) {
        let offset = number % blockCount * 4096
        return (
            off_t(offset),
            ReplicationTests.pattern(
                4096, at: UInt64(offset), round: UInt8(truncatingIfNeeded: number / blockCount))
        )
    }

    private static func buffer() -> UnsafeMutableRawBufferPointer {
        .allocate(byteCount: 4096, alignment: 4096)
    }
}
