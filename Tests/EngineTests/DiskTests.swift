import BlockDevices
import EngineCommands
import Foundation
import Glibc
import Ring
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
