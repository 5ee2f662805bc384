/// Who can reach whom, and how long it takes.
///
/// Messages of a connection arrive in order. While its way is cut they wait, and arrive after the
/// way is whole again, even when the connection was given up at one end meanwhile: what the kernel
/// has taken, it delivers.
struct SimulatedNetwork {
    private var cut: [[Bool]]
    /// Whether a node reaches the metadata service.
    var storeCut: [Bool]
    private let isFast: Bool

    init(nodes: Int, isFast: Bool) {
        cut = Array(repeating: Array(repeating: false, count: nodes), count: nodes)
        storeCut = Array(repeating: false, count: nodes)
        self.isFast = isFast
    }

    func isOpen(_ a: Int, _ b: Int) -> Bool { a == b || !cut[a][b] }

    mutating func set(_ a: Int, _ b: Int, isCut: Bool) {
        cut[a][b] = isCut
        cut[b][a] = isCut
    }

    mutating func heal() {
        for a in cut.indices {
            storeCut[a] = false
            for b in cut.indices { cut[a][b] = false }
        }
    }

    func delay(_ a: Int, _ b: Int, _ random: inout SeededRandom) -> UInt64 {
        if a == b { return random.nanoseconds(1_000...30_000) }
        if !isFast && random.chance(3) { return random.nanoseconds(5_000_000...1_500_000_000) }
        return random.nanoseconds(50_000...(isFast ? 500_000 : 5_000_000))
    }
}

/// One connection for a volume: an owner's session on one node, a replica on another.
final class SimulatedLink {
    let id: UInt32
    let ownerNode: Int
    let replicaNode: Int
    let session: OwnerHost
    let peer: Int
    /// The process at the replica's end; a link does not outlive it.
    let replicaProcess: SimulatedProcess
    private(set) weak var replica: ReplicaHost?
    /// Each end may have given it up.
    var ownerOpen = true
    var replicaOpen = true
    let toReplica: SimulatedPipe
    let toOwner: SimulatedPipe
    /// Since when the way has been cut, as the heartbeats see it.
    var cutSince: UInt64?

    init(
        id: UInt32, ownerNode: Int, replicaNode: Int, session: OwnerHost, peer: Int,
        replicaProcess: SimulatedProcess, replica: ReplicaHost, world: World
    ) {
        self.replica = replica
        toReplica = SimulatedPipe(world: world, from: ownerNode, to: replicaNode)
        toOwner = SimulatedPipe(world: world, from: replicaNode, to: ownerNode)
        self.id = id
        self.ownerNode = ownerNode
        self.replicaNode = replicaNode
        self.session = session
        self.peer = peer
        self.replicaProcess = replicaProcess
    }

    func tearDown() {
        toReplica.tearDown()
        toOwner.tearDown()
    }
}
