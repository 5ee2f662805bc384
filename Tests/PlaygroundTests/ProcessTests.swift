import FoundationEssentials
import Glibc
import Testing

@testable import Playground

/// A folder of its own with programs that sleep in it, gone at the end.
private final class Sleepers {
    let folder: String
    private var started: [ProcessIdentity] = []

    init() throws {
        folder = FileManager.default.temporaryDirectory.path + "/cio-playground-\(UUID())"
        try FileManager.default.createDirectory(
            atPath: folder, withIntermediateDirectories: true)
    }

    func start(
        _ environment: [String: String] = [:], _ program: String = "/bin/sleep",
        _ arguments: [String] = ["600"]
    ) throws -> ProcessIdentity {
        let process = try Spawning.start(
            program, arguments, environment: environment, log: "\(folder)/log")
        started.append(process)
        return process
    }

    deinit {
        for process in started {
            process.kill()
            waitpid(process.pid, nil, 0)
        }
        try? FileManager.default.removeItem(atPath: folder)
    }
}

@Suite struct ProcessTests {
    @Test func aProcessIsKnownByPidAndStart() throws {
        let sleepers = try Sleepers()
        let process = try sleepers.start()
        #expect(process.isAlive)
        #expect(ProcessIdentity(pid: process.pid) == process)
        #expect(process.startTicks > 0)
        #expect(process.program == "sleep")
    }

    @Test func aProcessThatWaitsToBeReapedIsDead() async throws {
        let sleepers = try Sleepers()
        let process = try sleepers.start()
        #expect(try await ProcessTable.end([process]).isEmpty)
        #expect(!process.isAlive)
    }

    private static let python = "/usr/bin/python3"

    @Test(.enabled(if: access(python, X_OK) == 0, "python3 is not installed"))
    func aProcessIsThereUntilItsLastThreadHasEnded() async throws {
        let sleepers = try Sleepers()
        let process = try sleepers.start(
            [:], Self.python,
            [
                "-c",
                """
                import ctypes, threading, time
                threading.Thread(target=lambda: time.sleep(600)).start()
                ctypes.CDLL(None).pthread_exit(None)
                """,
            ])
        // What has no memory of its own any more has no program either.
        while process.program != nil { try await Task.sleep(for: .milliseconds(1)) }
        #expect(process.isAlive)
        #expect(try await ProcessTable.end([process]).isEmpty)
        #expect(!process.isAlive)
    }

    @Test func markedProcessesAreFoundAndNoOthers() throws {
        let sleepers = try Sleepers()
        let marked = try sleepers.start(["MARK": sleepers.folder])
        _ = try sleepers.start(["MARK": sleepers.folder + "x"])
        _ = try sleepers.start()
        #expect(ProcessTable.marked("MARK", sleepers.folder) == [marked])
    }

    @Test func processesThatUseAFolderAreFound() throws {
        let sleepers = try Sleepers()
        // Its log is open below the folder.
        let user = try sleepers.start()
        #expect(ProcessTable.using([sleepers.folder]) == [user])
        #expect(ProcessTable.using([sleepers.folder + "/lo"]).isEmpty)
        #expect(ProcessTable.using([]).isEmpty)
    }

    @Test func aProgramThatIsMissingIsAFailure() throws {
        let sleepers = try Sleepers()
        #expect(throws: (any Error).self) {
            try Spawning.start("/nowhere/x", [], environment: [:], log: "\(sleepers.folder)/log")
        }
    }
}
