import Records
import Units

@testable import Scheduling

/// A random cluster with a model of its owners: what they do to the records, without the data.
///
/// An owner drops dead copies from the in-sync set, does one `volumeStep` at a time, and a rebuild
/// takes it some turns or fails with its target. Violations are collected, not trapped.
struct OwnersModel {
    struct Rebuild {
        var replica: ReplicaID
        var owner: NodeID
        var turnsLeft: Int
    }

    var view: ClusterView
    var random: SplitMix
    var violations: [String] = []
    private var rebuilds: [Rebuild?]
    private var nextReplica = 1000
    private var isUpset = true

    init(seed: UInt64) {
        random = SplitMix(state: seed)
        let count = Int.random(in: 1...8, using: &random)
        var nodes = (1...count).map { node($0, drives: [drive($0), drive($0, 1)]) }
        if count > 2, Bool.random(using: &random) { nodes[count - 1].record.drives = [] }
        view = ClusterView(nodes: nodes, volumes: [])
        view.settings.rebuildsPerNodeMax = Int.random(in: 1...4, using: &random)
        rebuilds = []
        for number in 1...Int.random(in: 1...12, using: &random) {
            let places = place(
                copies: Int.random(in: 1...3, using: &random), size: ByteCount(gigabytes: 10),
                type: .ssd, ownerNode: nodes.randomElement(using: &random)!.record.id,
                nodes: nodes, provisioned: Provisioning(view.volumes))
            guard case .success(let chosen) = places else { continue }
            var new = volume(number, on: [], copies: chosen.count)
            new.wanted.placement = chosen
            for place in chosen {
                nextReplica += 1
                new.configuration.replicas.append(
                    ReplicaRecord(
                        id: replicaID(nextReplica), node: place.node, drive: place.drive,
                        state: .inSync))
            }
            view.volumes.append(new)
            rebuilds.append(nil)
        }
    }

    // MARK: Faults and orders

    mutating func upset() {
        let index = view.nodes.indices.randomElement(using: &random)!
        switch Int.random(in: 0..<14, using: &random) {
        case 0...2: view.nodes[index].isAlive = false
        case 3...5: revive(index)
        case 6:
            view.nodes[index].record.duty = Bool.random(using: &random) ? .cordoned : .normal
        case 7:
            if let drive = view.nodes[index].record.drives.indices.randomElement(using: &random) {
                view.nodes[index].record.drives[drive].status =
                    Bool.random(using: &random) ? .faulty : .normal
            }
        default: order(at: view.nodes[index].record.id)
        }
    }

    private mutating func order(at node: NodeID) {
        guard let index = view.volumes.indices.randomElement(using: &random) else { return }
        switch Int.random(in: 0..<5, using: &random) {
        case 0...1: view.volumes[index].wanted.attachTo = node
        case 2:
            let wanted = view.volumes[index].wanted
            view.volumes[index].wanted.parkedAt = wanted.wantedOwner
            view.volumes[index].wanted.attachTo = nil
        case 3: view.volumes[index].wanted.rebuildTo = node
        default: view.volumes[index].wanted.copies = Int.random(in: 1...3, using: &random)
        }
    }

    private mutating func revive(_ index: Int) {
        view.nodes[index].isAlive = true
        view.nodes[index].silentFor = .seconds(0)
    }

    /// No more faults: drives are mended, duties normal, and most nodes back.
    mutating func calm() {
        isUpset = false
        for index in view.nodes.indices {
            view.nodes[index].record.duty = .normal
            for drive in view.nodes[index].record.drives.indices {
                view.nodes[index].record.drives[drive].status = .normal
            }
            if Int.random(in: 0..<4, using: &random) > 0 { revive(index) }
        }
    }

    // MARK: A turn

    /// Some seconds pass: the leader plans, then every owner does a step.
    mutating func turn() {
        for index in view.nodes.indices where !view.nodes[index].isAlive {
            view.nodes[index].silentFor.nanoseconds += Span.seconds(5).nanoseconds
        }
        let changes = plan(view)
        let planned = view.applying(changes)
        if !changes.isEmpty {
            let more = plan(planned)
            if !more.isEmpty { violations.append("planned again on its own result: \(more)") }
            checkRoles(planned)
        }
        // A leader may die after any of them, and any may be refused.
        view =
            isUpset
            ? view.applying(changes.filter { _ in Int.random(in: 0..<3, using: &random) > 0 })
            : planned
        for index in view.volumes.indices { turn(index) }
    }

    private mutating func turn(_ index: Int) {
        let wanted = view.volumes[index].wanted
        guard let owner = wanted.wantedOwner, isAlive(owner) else {
            rebuilds[index] = nil
            return
        }
        if rebuilds[index]?.owner != owner { rebuilds[index] = nil }
        guard removeSilent(index) else { return }
        proceed(index)
        let step = volumeStep(
            config: view.volumes[index].configuration, wanted: wanted, aliveNodes: aliveNodes,
            rebuildInProgress: rebuilds[index]?.replica, newReplicaID: replicaID(nextReplica + 1))
        perform(step, index, owner)
        if view.volumes[index].configuration.inSync.isEmpty { violations.append("none in sync") }
        if view.volumes[index].configuration.replicas.count > SchedulingLimits.replicasMax {
            violations.append("more replicas than an owner deals with")
        }
    }

    /// - Returns: whether the owner serves: at least one copy in sync answers.
    private mutating func removeSilent(_ index: Int) -> Bool {
        var configuration = view.volumes[index].configuration
        guard configuration.inSync.contains(where: isSound) else { return false }
        for position in configuration.replicas.indices
        where !isSound(configuration.replicas[position]) {
            configuration.replicas[position].state = .stale
        }
        view.volumes[index].configuration = configuration
        return true
    }

    private mutating func proceed(_ index: Int) {
        guard var rebuild = rebuilds[index] else { return }
        guard
            let position = view.volumes[index].configuration.replicas.firstIndex(where: {
                $0.id == rebuild.replica
            }), isSound(view.volumes[index].configuration.replicas[position])
        else {
            rebuilds[index] = nil
            return
        }
        rebuild.turnsLeft -= 1
        rebuilds[index] = rebuild
        if rebuild.turnsLeft <= 0 {
            view.volumes[index].configuration.replicas[position].state = .inSync
            rebuilds[index] = nil
        }
    }

    private mutating func perform(_ step: VolumeStep, _ index: Int, _ owner: NodeID) {
        switch step {
        case .nothing: break
        case .add(let record):
            nextReplica += 1
            view.volumes[index].configuration.replicas.append(record)
        case .rebuild(let id):
            if rebuilds[index] != nil { violations.append("two rebuilds at a time") }
            let turns = Int.random(in: 1...4, using: &random)
            rebuilds[index] = Rebuild(replica: id, owner: owner, turnsLeft: turns)
        case .free(let id, let copies):
            if rebuilds[index]?.replica == id { violations.append("freed the rebuild's target") }
            view.volumes[index].configuration.replicas.removeAll { $0.id == id }
            let left = view.volumes[index].configuration.inSync
            let holders = left.map(\.node).filter(isAlive)
            if Set(holders).count < max(1, copies) {
                violations.append("freed too early: \(holders.count) of \(copies) are left")
            }
        }
    }

    private mutating func checkRoles(_ view: ClusterView) {
        let isAnyAlive = view.nodes.contains(where: \.isAlive)
        for role in [NodeRecord.Role.sds, .backup1, .backup2] where isAnyAlive {
            if view.nodes.count(where: { $0.record.role == role }) > 1 {
                violations.append("two nodes are \(role)")
            }
        }
        let leads = view.nodes.contains { $0.record.role == .sds && $0.isAlive }
        if isAnyAlive && !leads { violations.append("nobody leads") }
    }

    // MARK: Questions

    var aliveNodes: [NodeID] { view.nodes.filter(\.isAlive).map(\.record.id).sorted() }

    func isAlive(_ id: NodeID) -> Bool {
        view.nodes.contains { $0.record.id == id && $0.isAlive }
    }

    func isSound(_ replica: ReplicaRecord) -> Bool {
        view.nodes.contains { node in
            node.record.id == replica.node && node.isAlive
                && node.record.drives.contains { $0.id == replica.drive && $0.status == .normal }
        }
    }

    /// Nodes that can hold a copy.
    var holdersMax: Int { view.nodes.count { $0.isAlive && !$0.record.drives.isEmpty } }
}

struct SplitMix: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var z = state
        z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
        z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
        return z ^ (z >> 31)
    }
}
