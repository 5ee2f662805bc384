import API
import FoundationEssentials
import Glibc
import MetadataEtcd

// The metadata service of a playground that has one of its own: etcd members.
extension Playground {
    func members(_ plan: PlaygroundPlan) -> [PlaygroundMember] {
        (0..<(plan.etcdMembers ?? 0)).map {
            PlaygroundMember(number: $0 + 1, root: folder, network: plan.network)
        }
    }

    func processes(of member: PlaygroundMember) -> [ProcessIdentity] {
        ProcessTable.marked(PlaygroundMember.mark, member.folder)
    }

    /// Starts the members that are down. Returns when all of them know of a leader.
    func bringUpMembers(_ plan: PlaygroundPlan, told: (String) -> Void) async throws {
        let members = members(plan)
        let down = members.filter { processes(of: $0).isEmpty }
        guard !down.isEmpty else { return }
        let program = try Self.etcdProgram()
        var started: [(member: PlaygroundMember, process: ProcessIdentity)] = []
        for member in down {
            let what = "Start \(member.name)"
            try makeFolder(PlaygroundMember.parent(folder), mode: 0o700, what)
            // etcd wants it closed to others, as it makes it itself.
            try makeFolder(member.folder, mode: 0o700, what)
            let process = try Spawning.start(
                program, member.arguments(among: members), environment: environment(of: member),
                log: member.log)
            started.append((member, process))
        }
        for (member, process) in started {
            try await awaitLeader(member, process)
            told("\(member.name) is up: \(member.endpoint)")
        }
    }

    /// Ours, without what would set options of an `etcd` of this machine, and with the mark.
    private func environment(of member: PlaygroundMember) -> [String: String] {
        var environment = ProcessInfo.processInfo.environment.filter {
            !$0.key.hasPrefix("ETCD_")
        }
        environment[PlaygroundMember.mark] = member.folder
        return environment
    }

    private func awaitLeader(
        _ member: PlaygroundMember, _ process: ProcessIdentity
    ) async throws {
        let deadline = ContinuousClock.now + .seconds(Limits.startSeconds)
        while ContinuousClock.now < deadline {
            guard process.isAlive else {
                throw APIError(
                    what: "Start \(member.name)", why: "its etcd has ended",
                    next: "see \(member.log)")
            }
            let status = await EtcdMemberStatus.ask(member.endpoint, within: .seconds(1))
            if status?.hasLeader ?? false { return }
            try await Task.sleep(for: .milliseconds(20))
        }
        throw APIError(
            what: "Start \(member.name)",
            why: "it has found no leader after \(Limits.startSeconds) s",
            next: "see \(member.log)")
    }

    func endMembers(_ plan: PlaygroundPlan) async throws {
        let stuck = try await ProcessTable.end(members(plan).flatMap(processes))
        guard stuck.isEmpty else {
            let pids = stuck.map { "process \($0.pid) does not end" }
            throw APIError(
                what: "End etcd", why: pids.joined(separator: ", "), next: "try again later")
        }
    }

    /// `leader`, `follower`; `electing` without a leader, `unknown` when it does not answer.
    func status(of member: PlaygroundMember) async -> PlaygroundStatus {
        let status = await EtcdMemberStatus.ask(member.endpoint, within: .seconds(1))
        let word =
            switch status {
            case nil: "unknown"
            case let status? where status.isLeader: "leader"
            case let status?: status.hasLeader ? "follower" : "electing"
            }
        return PlaygroundStatus(
            name: member.name, ip: member.address, port: PlaygroundMember.port,
            pid: processes(of: member).map(\.pid).min(), status: word,
            socket: "\(member.endpoint)")
    }

    /// Where a shell would find it.
    private static func etcdProgram() throws(APIError) -> String {
        let path = ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin"
        for folder in path.split(separator: ":") {
            let program = "\(folder)/etcd"
            if access(program, X_OK) == 0 { return program }
        }
        throw APIError(
            what: "Start etcd", why: "there is no program etcd in \(path)",
            next: "install it: apt install etcd-server")
    }
}
