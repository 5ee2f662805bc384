import DriveFormat
import DriveStore
import EngineCommands
import Foundation
import Records
import Ring
import Synchronization
import Units

@testable import Engine

/// A node in this process: a drive in a directory of its own, and an engine on an address of its
/// own. Its process can be "killed": the engine ends, and comes back with another incarnation.
final class TestNode: Sendable {
    let id: NodeID
    let drive: Drive
    let directory: String
    let boot: BootID
    private let cluster: ClusterID
    private let host: String
    private let control: TestControl
    private let kind: EngineKind
    private let threads: Int
    private let timing: Timing
    private let running = Mutex<Engine?>(nil)
    private let lines = Mutex<[String]>([])

    init(
        number: Int, cluster: ClusterID, control: TestControl, kind: EngineKind, threads: Int,
        timing: Timing, in root: String
    ) throws {
        id = .random()
        boot = .random()
        host = "127.0.\(getpid() % 200 + 20).\(number + 1)"
        directory = "\(root)/node\(number)"
        self.cluster = cluster
        self.control = control
        self.kind = kind
        self.threads = threads
        self.timing = timing
        try FileManager.default.createDirectory(
            atPath: directory, withIntermediateDirectories: true)
        drive = try Drive.create(
            at: directory + "/drive", DriveIdentity(cluster: cluster, drive: .random()))
    }

    var socketPath: String { directory + "/nbd.sock" }
    var isRunning: Bool { running.withLock { $0 != nil } }
    var engine: Engine { running.withLock { $0! } }
    var log: [String] { lines.withLock { $0 } }
    var address: SocketAddress { SocketAddress(host: host, port: engine.port) }

    func start() throws {
        let id = id
        let configuration = EngineConfiguration(
            kind: kind, threads: threads, cluster: cluster, node: id, boot: boot,
            listen: SocketAddress(host: host, port: 0), nbdSocketPath: socketPath, timing: timing,
            heartbeat: .milliseconds(100))
        let engine = try Engine(
            configuration,
            report: { [weak self] report in
                self?.control.take(report, from: id) { self?.post($0) }
            },
            log: { [weak self] line in self?.lines.withLock { $0.append(line) } })
        running.withLock { $0 = engine }
    }

    func post(_ command: EngineCommand) {
        // A report may come before `start` has stored the engine.
        while true {
            if let engine = running.withLock({ $0 }) {
                engine.post(command)
                return
            }
            usleep(100)
        }
    }

    func stop() {
        running.withLock { $0 }?.stop()
        running.withLock { $0 = nil }
    }

    /// As SIGKILL would: nothing is closed cleanly.
    func kill() {
        running.withLock { $0 }?.kill()
        running.withLock { $0 = nil }
    }

    /// The replica's data as it lies on the drive.
    func data(of volume: VolumeID) throws -> Data {
        try Data(contentsOf: URL(fileURLWithPath: drive.directory(of: volume) + "/data"))
    }
}
