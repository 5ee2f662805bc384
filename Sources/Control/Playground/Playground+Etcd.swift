import API
import FoundationEssentials
import Glibc
import MetadataEtcd

// The metadata service of a playground that has one of its own: etcd members.
extension Playground {
    func members(_ plan: PlaygroundPlan) -> [PlaygroundMember] {
        (0..<(plan.etcdMembers ?? 0)).map {
            PlaygroundMember(number: $0 + 1, root: folder, network: plan.addresses)
        }
    }

    func processes(of member: PlaygroundMember) -> [ProcessIdentity] {
        ProcessTable.marked(PlaygroundMember.mark, member.folder)
    }

    /// The node in whose namespaces a member lives; nil where it is on its own.
    private func host(of member: PlaygroundMember, _ plan: PlaygroundPlan) -> PlaygroundNode? {
        plan.addresses == .bridged ? nodes(plan).first { $0.number == member.number } : nil
    }

    /// Starts the members that are down. Returns when all of them know of a leader.
    ///
    /// - Parameter node: only those that live in its namespaces.
    func bringUpMembers(
        _ plan: PlaygroundPlan, on node: PlaygroundNode? = nil, told: (String) -> Void
    ) async throws {
        let members = members(plan)
        let down = members.filter {
            (node == nil || host(of: $0, plan) == node) && processes(of: $0).isEmpty
        }
        guard !down.isEmpty else { return }
        let etcd = try SystemProgram("etcd", package: "etcd-server")
        var started: [(member: PlaygroundMember, process: ProcessIdentity)] = []
        for member in down {
            let what = "Start \(member.name)"
            try makeFolder(PlaygroundMember.parent(folder), mode: 0o700, what)
            // etcd wants it closed to others, as it makes it itself.
            try makeFolder(member.folder, mode: 0o700, what)
            // etcd stumbles over the one of a member that was killed.
            if let socket = member.socket { unlink(socket) }
            let host = host(of: member, plan)
            var command = (program: etcd.path, arguments: member.arguments(among: members))
            if let host {
                command = try self.command(
                    on: host, in: member.folder, command.program, command.arguments, what)
            }
            let process = try Spawning.start(
                command.program, command.arguments, environment: environment(of: member, on: host),
                log: member.log)
            started.append((member, process))
        }
        for (member, process) in started {
            try await awaitLeader(member, process)
            told("\(member.name) is up: \(member.endpoint)")
        }
    }

    /// Ours, without what would set options of an `etcd` of this machine, and with the mark.
    private func environment(
        of member: PlaygroundMember, on host: PlaygroundNode?
    ) -> [String: String] {
        var environment = ProcessInfo.processInfo.environment.filter {
            !$0.key.hasPrefix("ETCD_")
        }
        environment[PlaygroundMember.mark] = member.folder
        environment[PlaygroundNode.mark] = host?.folder
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
            let status = await ask(member)
            if status?.hasLeader ?? false { return }
            try await Task.sleep(for: .milliseconds(20))
        }
        throw APIError(
            what: "Start \(member.name)",
            why: "it has found no leader after \(Limits.startSeconds) s",
            next: "bring up the others: cio playground up --dir \(folder); see \(member.log)")
    }

    private func ask(_ member: PlaygroundMember) async -> EtcdMemberStatus? {
        if let socket = member.socket {
            return await EtcdMemberStatus.ask(socket: socket, within: .seconds(1))
        }
        return await EtcdMemberStatus.ask(member.endpoint, within: .seconds(1))
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
        let status = await ask(member)
        return PlaygroundStatus(
            name: member.name, ip: member.address, port: PlaygroundMember.port,
            pid: processes(of: member).map(\.pid).min(), status: status?.role ?? "unknown",
            socket: "\(member.endpoint)")
    }
}
