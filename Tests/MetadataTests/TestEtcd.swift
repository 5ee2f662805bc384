import Foundation
import Metadata
import MetadataEtcd
import Testing

/// One member of an etcd cluster on this machine, and the power over its life.
final class TestEtcdMember {
    let endpoint: EtcdEndpoint
    private let arguments: [String]
    private let log: String
    private var process: Process?

    /// Nil when it is not installed.
    static let program: String? = (ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin")
        .split(separator: ":").map { "\($0)/etcd" }
        .first { FileManager.default.isExecutableFile(atPath: $0) }
    static let isMissing: Comment = "etcd is not installed: scripts/install test"

    fileprivate init(host: String, name: String, peers: String, folder: String) {
        endpoint = EtcdEndpoint(host: host, port: 2379)
        log = "\(folder)/\(name).log"
        arguments = [
            "--name", name, "--data-dir", "\(folder)/\(name)",
            "--listen-client-urls", "\(endpoint)", "--advertise-client-urls", "\(endpoint)",
            "--listen-peer-urls", "http://\(host):2380",
            "--initial-advertise-peer-urls", "http://\(host):2380",
            "--initial-cluster", peers,
            "--heartbeat-interval", "50", "--election-timeout", "500",
            "--logger", "zap", "--log-level", "error",
        ]
    }

    deinit { kill() }

    func start() throws {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: try #require(Self.program))
        process.arguments = arguments
        try #require(FileManager.default.createFile(atPath: log, contents: nil))
        let output = try #require(FileHandle(forWritingAtPath: log))
        process.standardOutput = output
        process.standardError = output
        process.standardInput = FileHandle.nullDevice
        try process.run()
        self.process = process
    }

    /// At once, and whether it is stopped or not.
    func kill() {
        guard let process, process.isRunning else { return }
        signal(SIGKILL)
        process.waitUntilExit()
        self.process = nil
    }

    func signal(_ number: Int32) {
        guard let process else { return }
        let pid = process.processIdentifier
        Foundation.kill(pid, number)
        guard number == SIGSTOP else { return }
        // Its parent hears of it when the last thread has stopped: until then it may answer.
        var stopped = siginfo_t()
        while waitid(P_PID, id_t(pid), &stopped, WSTOPPED | WNOWAIT) != 0, errno == EINTR {}
    }

    var isRunning: Bool { process?.isRunning ?? false }
    var said: String { (try? String(contentsOfFile: log, encoding: .utf8)) ?? "" }
}

/// An etcd cluster in a folder of its own, on loopback addresses of its own; gone afterwards.
final class TestEtcd {
    let members: [TestEtcdMember]

    private init(_ members: [TestEtcdMember]) { self.members = members }

    var endpoints: [EtcdEndpoint] { members.map(\.endpoint) }

    /// Runs `body` with a cluster of `count` members that has a leader.
    static func run<Value>(
        _ count: Int = 1, _ body: (TestEtcd) async throws -> Value
    ) async throws -> Value {
        try await withFolder { folder in
            // 65,000 networks: two runs hardly ever choose the same one.
            let network = "127.\(Int.random(in: 100...199)).\(Int.random(in: 1...254))"
            let hosts = (1...count).map { "\(network).\($0)" }
            let peers = hosts.enumerated().map { "m\($0)=http://\($1):2380" }
                .joined(separator: ",")
            let cluster = TestEtcd(hosts.enumerated().map { index, host in
                TestEtcdMember(host: host, name: "m\(index)", peers: peers, folder: folder)
            })
            // Before its folder goes.
            defer { for member in cluster.members { member.kill() } }
            for member in cluster.members { try member.start() }
            _ = try await cluster.leader()
            return try await body(cluster)
        }
    }

    /// The member that leads, once every member that runs knows of a leader.
    func leader(amongOthersThan excluded: TestEtcdMember? = nil) async throws -> TestEtcdMember {
        let asked = members.filter { $0.isRunning && $0 !== excluded }
        let deadline = ContinuousClock.now + .seconds(30)
        while ContinuousClock.now < deadline {
            var leader: TestEtcdMember?
            var knowing = 0
            for member in asked {
                let status = await EtcdMemberStatus.ask(member.endpoint, within: .seconds(1))
                if status?.hasLeader ?? false { knowing += 1 }
                if status?.isLeader ?? false { leader = member }
            }
            if let leader, knowing == asked.count { return leader }
            try await Task.sleep(for: .milliseconds(10))
        }
        Issue.record("no leader: \(members.map(\.said))")
        throw CancellationError()
    }

    /// A store that uses all members, or those given; closed afterwards.
    func withStore<Value>(
        _ options: EtcdOptions = EtcdOptions(client: "test"), endpoints: [EtcdEndpoint]? = nil,
        _ body: (EtcdStore) async throws -> Value
    ) async throws -> Value {
        let store = try await EtcdStore.open(
            endpoints: endpoints ?? self.endpoints, options: options)
        return try await using(store, body)
    }
}
