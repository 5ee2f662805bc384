import BlockDevices
import Foundation
import Glibc
import Testing

@testable import ciod

/// One process for a node, even where the one before it cannot end by itself.
@Suite(
    .serialized,
    .enabled(if: getuid() == 0 && access("/dev/fuse", R_OK) == 0, "needs root and /dev/fuse"))
struct LockTests {
    private let folder: String
    private let folders: Folders

    init() throws {
        let made = FileManager.default.temporaryDirectory.path + "/cio-lock-\(UUID().uuidString)"
        try FileManager.default.createDirectory(
            atPath: made, withIntermediateDirectories: true)
        try "".write(toFile: "\(made)/conf", atomically: true, encoding: .utf8)
        let flags = try Flags.parse([
            "--config", "\(made)/conf", "--name", "v1", "--state-dir", "\(made)/state", "--run-dir",
            "\(made)/run", "--dev-dir", "\(made)/dev", "--volumes-dir", "\(made)/volumes",
        ])
        folder = made
        folders = Folders(options: try Options(flags: flags, environment: [:]))
        try folders.make()
    }

    /// A process that has the lock, and then looks at a file.
    private func holder(lookingAt path: String) throws -> Process {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/flock")
        process.arguments = [
            "--no-fork", "\(folder)/state/lock", "sh", "-c",
            "echo $$ > \(folder)/state/lock; exec stat \(path)",
        ]
        process.standardOutput = FileHandle.nullDevice
        process.standardInput = FileHandle.nullDevice
        try process.run()
        return process
    }

    @Test func aProcessThatLivesKeepsTheLock() throws {
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let process = Process()
        let output = Pipe()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/flock")
        process.arguments = [
            "--no-fork", "\(folder)/state/lock", "sh", "-c",
            "echo $$ > \(folder)/state/lock; echo locked; exec sleep 600",
        ]
        process.standardOutput = output
        process.standardInput = FileHandle.nullDevice
        try process.run()
        #expect(output.fileHandleForReading.availableData.count == 7)
        #expect(throws: StartError.self) { try folders.lock() }
        kill(process.processIdentifier, SIGKILL)
        process.waitUntilExit()
        try folders.lock()
    }

    /// Killed over a request that nobody will answer.
    @Test func aProcessThatHangsOverItsOwnDiskLosesIt() throws {
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let path = String(cString: realpath("\(folder)/run/disks", nil)) + "/vd1"
        let mount = try FUSEMount.mount(at: path)
        _ = try mount.negotiate()
        let process = try holder(lookingAt: path)
        // Once its request is read it cannot be killed any more.
        var ready = pollfd(fd: mount.descriptor, events: Int16(POLLIN), revents: 0)
        while poll(&ready, 1, -1) < 1 {}
        var request = [UInt8](repeating: 0, count: 2 << 20)
        #expect(read(mount.descriptor, &request, request.count) > 0)
        kill(process.processIdentifier, SIGKILL)
        while !Dying.is(process.processIdentifier) { sched_yield() }
        #expect(process.isRunning)
        try folders.lock()
        process.waitUntilExit()
        try mount.unmountLazily()
        close(mount.descriptor)
    }
}
