import Records
import Replication
import Units

/// A machine: its boot, its clock, its drive, and the `ciod` that runs on it or does not.
final class SimulatedNode {
    let id: NodeID
    let index: Int
    unowned let world: World
    var boot: BootID
    /// Parts per million that its clock runs fast or slow, within the drift margin.
    let drift: Int64
    let clockOffset: UInt64
    var process: SimulatedProcess?
    /// A start is under way.
    var isStarting = false
    var isPowered = true
    var lastPowerLoss: UInt64 = 0
    /// The replicas on its drive, in the order of their creation.
    var drive: [(id: ReplicaID, files: SimulatedReplicaFiles)] = []
    /// How much slower than usual its drive is.
    var slowness: UInt64 = 1

    init(id: NodeID, world: World) {
        self.id = id
        index = Int(id.high) - 1
        self.world = world
        boot = Identifier.random(using: &world.random)
        // The margin is 1 % in all: two clocks may each be off by less than half of it.
        drift = Int64(world.random.below(9_000)) - 4_500
        clockOffset = world.random.nanoseconds(1_000_000_000...1_000_000_000_000)
    }

    /// The node's own CLOCK_BOOTTIME.
    var clock: Instant {
        let elapsed = Int64(world.now)
        return Instant(nanoseconds: clockOffset + UInt64(elapsed + elapsed / 1_000_000 * drift))
    }

    /// When this node's clock will show `instant`, in the world's time.
    func worldTime(of instant: Instant) -> UInt64 {
        let ahead = instant - clock
        let slack = ahead.nanoseconds / 1_000_000 * UInt64(4_600) + 20_000
        return world.now + ahead.nanoseconds + slack
    }

    func files(_ replica: ReplicaID) -> SimulatedReplicaFiles? {
        drive.first { $0.id == replica }?.files
    }

    func create(_ replica: ReplicaID) {
        require(files(replica) == nil, "a replica is created once")
        drive.append((replica, SimulatedReplicaFiles()))
    }

    // MARK: Life and death

    func start() {
        guard isPowered, process == nil, !isStarting else { return }
        isStarting = true
        world.after(1_000_000...400_000_000) { [self] in
            isStarting = false
            guard isPowered, process == nil else { return }
            // The lock on a data file is free only when the dead process's last I/O has ended.
            if drive.contains(where: { $0.files.operationsUnderWay > 0 }) {
                start()
                return
            }
            world.note("node \(short(id)) starts")
            process = SimulatedProcess(node: self)
            process!.begin()
        }
    }

    /// kill -9: what the kernel has taken goes on to its end.
    func kill() {
        guard let dying = process else { return }
        world.counts.kills += 1
        world.note("node \(short(id)) is killed")
        process = nil
        dying.die()
    }

    func losePower() {
        guard isPowered else { return }
        world.counts.powerLosses += 1
        world.note("node \(short(id)) loses power")
        let dying = process
        process = nil
        isPowered = false
        lastPowerLoss = world.now
        for replica in drive { replica.files.losePower(&world.random) }
        boot = Identifier.random(using: &world.random)
        dying?.die()
        world.recordedSetChanged()
    }

    func powerOn() {
        if isPowered { return }
        isPowered = true
        start()
    }
}
