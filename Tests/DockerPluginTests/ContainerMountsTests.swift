import Foundation
import Testing

@testable import DockerPlugin

@Suite struct ContainerMountsTests {
    private typealias Device = ContainerMounts.Device
    private let loop3 = Device(major: 7, minor: 3)

    /// A /proc of our own: process, namespace, mountinfo.
    private func withProcesses(
        _ processes: [(String, String, String)], _ body: (String) throws -> Void
    ) throws {
        let root = NSTemporaryDirectory() + "/cio-proc-\(UUID().uuidString)"
        defer { try? FileManager.default.removeItem(atPath: root) }
        for (process, namespace, table) in processes {
            let folder = "\(root)/\(process)"
            try FileManager.default.createDirectory(
                atPath: folder + "/ns", withIntermediateDirectories: true)
            try FileManager.default.createSymbolicLink(
                atPath: folder + "/ns/mnt", withDestinationPath: "mnt:[\(namespace)]")
            try table.write(toFile: folder + "/mountinfo", atomically: true, encoding: .utf8)
        }
        try body(root)
    }

    @Test func aContainerIsKnownByTheFolderThatItWasGiven() throws {
        try withProcesses([
            ("1", "100", "20 1 7:3 / /cio/volumes/vd1 rw - xfs /dev/loop3 rw\n"),
            ("50", "200", "20 1 7:3 /data /data rw - xfs /dev/loop3 rw\n21 1 0:5 / /proc rw - p p\n"),
            ("51", "200", "20 1 7:3 /data /data rw - xfs /dev/loop3 rw\n"),
            ("52", "300", "30 1 7:3 /data/sub /x rw - xfs /dev/loop3 rw\n"),
            ("53", "400", "30 1 7:4 /data /x rw - xfs /dev/loop4 rw\n"),
            ("54", "500", "30 1 7:3 /database /x rw - xfs /dev/loop3 rw\n"),
            ("self", "600", "30 1 7:3 /data /x rw - xfs /dev/loop3 rw\n"),
        ]) { root in
            #expect(ContainerMounts.holders(
                ofFolder: "/data", on: [loop3], processes: root) == [loop3: ["200", "300"]])
        }
    }

    @Test func whatIsNoMountIsPassedOver() throws {
        try withProcesses([("7", "100", "\n\n20 1 7:x /data /d\nnonsense\n20 1 7:3\n")]) { root in
            #expect(ContainerMounts.holders(
                ofFolder: "/data", on: [loop3], processes: root).isEmpty)
        }
    }

    @Test func ofThisMachineItCanBeAsked() {
        #expect(ContainerMounts.holders(
            ofFolder: "/no-such-folder", on: [Device(major: 7, minor: 1 << 19)]).isEmpty)
        #expect(ContainerMounts.device(at: "/dev/null") == nil)
        #expect(ContainerMounts.device(at: "/nowhere") == nil)
        #expect(ContainerMounts.mounted(at: "/proc") != nil)
        #expect(ContainerMounts.mounted(at: "/nowhere") == nil)
    }
}
