import Records
import Replication
import Units
import WireFormat

/// One run: the nodes, their drives, clocks and network, the metadata service, clients and faults.
final class World {
    let settings: SimulationSettings
    let timing = Timing(
        lease: .milliseconds(2000), giveUp: .milliseconds(2000), reconnect: .milliseconds(100),
        closeGeneration: .milliseconds(3000))
    var random: SeededRandom
    /// Of what drives do by themselves: apart, so that a seed is the same story without it.
    var rotRandom: SeededRandom
    var schedule = Schedule()
    let store: SimulatedStore
    var nodes: [SimulatedNode] = []
    var network: SimulatedNetwork
    var oracle = Oracle(sectors: Shape.sectors)
    var workload: Workload
    let volume: VolumeID

    var violation: String?
    var trace: [String] = []
    var digest: UInt64 = 0xcbf2_9ce4_8422_2325
    var counts = SimulationCounts()
    var faultsAllowed = true
    var trap: LeaseTrap?
    /// How readily a sensitive moment brings a fault, in percent.
    let sensitivity: Int
    var sessionCount = 0
    private(set) var links: [SimulatedLink] = []
    private var linkCount: UInt32 = 0

    init(seed: UInt64, settings: SimulationSettings) {
        self.settings = settings
        random = SeededRandom(seed: seed)
        rotRandom = SeededRandom(seed: ~seed)
        volume = Identifier.random(using: &random)
        let nodeCount = random.pick([3, 4, 4, 5])
        let copies = random.pick([1, 2, 2, 3, 3])
        let mayBeWitnessed = random.chance(25)
        let isWitnessed = mayBeWitnessed && nodeCount > copies
        sensitivity = random.pick([0, 1, 5, 15])
        network = SimulatedNetwork(nodes: nodeCount, isFast: random.chance(70))
        let ids = (0..<nodeCount).map { NodeID(high: UInt64($0 + 1), low: 7) }
        let replicas = (0..<copies).map { index in
            ReplicaRecord(
                id: ReplicaID(high: UInt64(index + 1), low: 99), node: ids[index],
                drive: DriveID(high: UInt64(index + 1), low: 5), state: .inSync)
        }
        store = SimulatedStore(
            configuration: VolumeConfiguration(
                volume: volume, epoch: 0, owner: nil, released: true, nonce: .zero,
                replicas: replicas),
            wanted: World.wanted(
                volume, replicas, owner: ids[random.below(nodeCount)]),
            nodes: World.nodeRecords(ids, isWitnessed: isWitnessed))
        workload = Workload(operations: settings.operations)
        for id in ids { nodes.append(SimulatedNode(id: id, world: self)) }
        for (index, replica) in replicas.enumerated() { nodes[index].create(replica.id) }
        recordedSetChanged()
    }

    var now: UInt64 { schedule.now }

    func node(_ id: NodeID) -> SimulatedNode {
        nodes[Int(id.high) - 1]
    }

    func after(_ nanoseconds: UInt64, _ action: @escaping () -> Void) {
        schedule.add(at: now + nanoseconds, action)
    }

    func after(_ range: ClosedRange<UInt64>, _ action: @escaping () -> Void) {
        after(random.nanoseconds(range), action)
    }

    /// Adds a line to the story.
    func note(_ line: @autoclosure () -> String) {
        counts.events += 1
        digest = (digest ^ now) &* 0x100_0000_01b3
        guard settings.isTraced else { return }
        let micros = now / 1000
        let fraction = String(micros % 1_000_000)
        let padded = String(repeating: "0", count: 6 - fraction.count) + fraction
        trace.append("\(micros / 1_000_000).\(padded) \(line())")
    }

    func fail(_ message: String) {
        if violation == nil {
            note("VIOLATION: \(message)")
            violation = message
        }
    }

    private static func wanted(
        _ volume: VolumeID, _ replicas: [ReplicaRecord], owner: NodeID
    ) -> WantedVolume {
        WantedVolume(
            id: volume, name: "vol", vdisk: 1, size: ByteCount(gigabytes: 1), copies: replicas.count,
            placement: replicas.map { Place(node: $0.node, drive: $0.drive) }, attachTo: owner)
    }

    /// The last node may be a witness, without drives.
    private static func nodeRecords(_ ids: [NodeID], isWitnessed: Bool) -> [NodeRecord] {
        ids.enumerated().map { index, id in
            let drive = DriveRecord(
                id: DriveID(high: id.high, low: 5), path: "/drive", type: .ssd,
                total: ByteCount(gigabytes: 1000), free: ByteCount(gigabytes: 900))
            let isWitness = isWitnessed && index == ids.count - 1
            let roles: [NodeRecord.Role] = [.sds, .backup1, .backup2]
            return NodeRecord(
                id: id, name: "v\(index + 1)", address: "127.0.0.\(index + 1)", port: 1,
                role: index < 3 ? roles[index] : .standard, drives: isWitness ? [] : [drive],
                number: index + 1)
        }
    }

    // MARK: Links

    func makeLink(
        _ session: OwnerHost, peer: Int, to process: SimulatedProcess, replica: ReplicaHost
    ) -> SimulatedLink {
        linkCount += 1
        let link = SimulatedLink(
            id: linkCount, ownerNode: session.process.node.index, replicaNode: process.node.index,
            session: session, peer: peer, replicaProcess: process, replica: replica, world: self)
        links.append(link)
        return link
    }

    /// Neither end knows it any more: nothing of it is delivered.
    func forget(_ link: SimulatedLink) {
        links.removeAll { $0 === link }
        link.tearDown()
    }

    // MARK: The record

    func record(_ change: ConfigurationChange) -> ChangeAnswer {
        let before = store.configuration
        let answer = store.change(change)
        if answer == .recorded {
            note("recorded: epoch \(change.proposed.epoch), \(change.purpose)")
            checkChange(from: before, change)
            recordedSetChanged()
            springTrap(change)
        }
        return answer
    }

    /// Invariant 9: a copy is freed only where the wanted number is in sync without it.
    private func checkChange(from before: VolumeConfiguration, _ change: ConfigurationChange) {
        if change.proposed.inSync.isEmpty { fail("the in-sync set was emptied") }
        if case .free = change.purpose, change.proposed.inSync.count < store.wanted.copies {
            fail("a copy was freed with \(change.proposed.inSync.count) of \(store.wanted.copies) left in sync")
        }
    }

    // MARK: Loss that is allowed

    /// Whenever the recorded in-sync set changes, or one of it loses power: writes acknowledged
    /// before the last power loss of *every* member may be gone.
    func recordedSetChanged() {
        var horizon = UInt64.max
        for record in store.configuration.inSync {
            horizon = min(horizon, node(record.node).lastPowerLoss)
        }
        if horizon > 0 && horizon != .max { oracle.mayLose(before: horizon) }
    }

    // MARK: Running

    /// Breaks the circles of references, so that a run leaves no memory behind.
    func tearDown() {
        schedule = Schedule()
        for link in links { link.tearDown() }
        links = []
        for node in nodes {
            node.process?.tearDown()
            node.process = nil
        }
        nodes = []
    }

    func run() -> Bool {
        while violation == nil, let action = schedule.next() {
            action()
            if workload.isOver { return true }
            if now > 3_600_000_000_000 { return false }
        }
        return violation == nil
    }
}

func short(_ id: Identifier) -> String { "\(id.high & 0xFFFF)" }
