import Records
import Replication
import Units
import WireFormat

/// Performs what an owner's machine decides, over the simulated network and metadata service.
final class OwnerHost {
    var machine: OwnerMachine
    let process: SimulatedProcess
    /// Numbers the sessions of a run, for the oracle.
    let session: Int
    private(set) var openLinks: [SimulatedLink] = []
    private var attempts = [Int](repeating: 0, count: ReplicationLimits.peersMax)
    private var data: [SimulatedData]
    private var clients: [ClientOperation?]
    private var isDraining = false
    private(set) var clientsUnderWay = 0
    private let alarm = Alarm()
    private var changeTries = 0
    /// Until then what the metadata service answers is lost.
    private var answersFrom: UInt64 = 0
    /// The id of the next replica to be added, and those whose last rebuild failed.
    private(set) var nextReplica: ReplicaID
    private(set) var failedRebuilds: [ReplicaID] = []

    private var world: World { process.world }
    private var node: SimulatedNode { process.node }

    init(recorded: VolumeConfiguration, process: SimulatedProcess) {
        self.process = process
        process.world.sessionCount += 1
        session = process.world.sessionCount
        nextReplica = Identifier.random(using: &process.world.random)
        process.world.counts.sessions += 1
        machine = OwnerMachine(
            recorded: recorded, node: process.node.id,
            instance: Identifier.random(using: &process.world.random),
            sizeBytes: Shape.volumeBytes, timing: process.world.timing, now: process.node.clock,
            faults: process.world.settings.planted)
        data = Array(repeating: [], count: ReplicationLimits.operationsMax)
        clients = Array(repeating: nil, count: ReplicationLimits.operationsMax)
        world.note("session \(session) opens on node \(short(node.id)) from epoch \(recorded.epoch)")
    }

    func begin() { drain() }

    /// The process has died: what its clients asked for may have happened.
    func died() {
        for client in clients { if let client { world.workload.abandoned(client, world) } }
        clients = clients.map { _ in nil }
    }

    /// Lets go of what refers back to the session.
    func tearDown() { openLinks = [] }

    func isCurrent() -> Bool { process.isAlive && process.owner === self && !machine.hasEnded }

    // MARK: Commands

    /// - Returns: false while the volume takes nothing.
    func submit(_ operation: ClientOperation) -> Bool {
        guard let slot = machine.submit(operation.request, token: UInt64(operation.number), now: node.clock)
        else { return false }
        clients[Int(slot)] = operation
        clientsUnderWay += 1
        data[Int(slot)] = operation.content
        drain()
        return true
    }

    func command(_ body: (inout OwnerMachine, Instant) -> Void) {
        guard isCurrent() else { return }
        body(&machine, node.clock)
        drain()
    }

    // MARK: Events

    func helloAnswered(_ link: SimulatedLink, incarnation: IncarnationID, boot: BootID) {
        guard isCurrent(), link.ownerOpen else { return }
        machine.linkUp(link.peer, incarnation: incarnation, boot: boot, now: node.clock)
        drain()
    }

    func replied(_ link: SimulatedLink, _ reply: ReplicaReply, _ payload: SimulatedData, _ list: [RegionEntry]) {
        guard isCurrent(), link.ownerOpen else { return }
        if reply.kind == .list {
            list.withUnsafeBufferPointer {
                machine.listed(link.peer, reply, entries: $0, now: node.clock)
            }
        } else {
            if reply.kind == .read && reply.status == .ok {
                arrived(machine.readSlot(of: reply.id, from: link.peer), payload)
            }
            machine.replied(link.peer, reply, now: node.clock)
        }
        drain()
    }

    private func arrived(_ slot: OwnerSlot?, _ payload: SimulatedData) {
        guard let slot = slot.map({ Int($0) }) else { return }
        if let client = clients[slot], client.isWrite {
            data[slot] = client.merged(over: payload)
        } else {
            data[slot] = payload
        }
    }

    /// The link has been found dead at this end.
    func lost(_ link: SimulatedLink) {
        guard link.ownerOpen else { return }
        link.ownerOpen = false
        openLinks.removeAll { $0 === link }
        hangUp(link)
        guard isCurrent() else { return }
        machine.linkDown(link.peer, now: node.clock)
        drain()
    }

    /// The replica hears of it after everything that was sent before.
    private func hangUp(_ link: SimulatedLink) {
        link.toReplica.send { [world] in
            if link.replicaProcess.isAlive { link.replica?.disconnected(link) }
            world.forget(link)
        }
    }

    // MARK: Actions

    private func drain() {
        if isDraining { return }
        isDraining = true
        while process.isAlive, world.violation == nil, let action = machine.actions.next() { perform(action) }
        isDraining = false
    }

    private func perform(_ action: OwnerAction) {
        switch action {
        case .changeConfiguration: changeConfiguration()
        case .openLink(let peer): openLink(peer)
        case .closeLink(let peer):
            attempts[peer] += 1
            guard let link = openLinks.first(where: { $0.peer == peer }) else { return }
            link.ownerOpen = false
            openLinks.removeAll { $0 === link }
            hangUp(link)
        case .send(let peer, let request, let slot): send(request, slot, to: peer)
        case .merge(let slot):
            world.after(1_000...20_000) { [self] in
                guard isCurrent() else { return }
                machine.merged(slot, now: node.clock)
                drain()
            }
        case .complete(_, let status, let slot):
            guard let client = clients[Int(slot)] else { return }
            clients[Int(slot)] = nil
            clientsUnderWay -= 1
            world.workload.completed(client, status, data[Int(slot)], self, world)
        case .release: break
        case .notify(let notice): noticed(notice)
        case .wake(let instant):
            alarm.set(instant, on: node) { [self] in
                guard isCurrent() else { return }
                machine.tick(now: node.clock)
                drain()
            }
        case .ended(let reason):
            world.note("session \(session) ends: \(reason)")
            for link in openLinks {
                link.ownerOpen = false
                hangUp(link)
            }
            openLinks = []
            process.owner = nil
            if !world.network.storeCut[node.index], world.store.status == node.id {
                world.store.status = nil
            }
        }
    }

    private func openLink(_ peer: Int) {
        attempts[peer] += 1
        let attempt = attempts[peer]
        let record = machine.record(of: peer)
        let target = world.node(record.node)
        let delay = world.network.delay(node.index, target.index, &world.random) * 2
        world.after(delay) { [self] in
            guard isCurrent(), attempts[peer] == attempt else { return }
            guard world.network.isOpen(node.index, target.index), target.isPowered else {
                world.after(1_000_000_000) { [self] in failed(peer, attempt) }
                return
            }
            guard let remote = target.process, let host = remote.host(record.id) else {
                failed(peer, attempt)
                return
            }
            let link = world.makeLink(self, peer: peer, to: remote, replica: host)
            openLinks.append(link)
            host.connected(link, instance: machine.me.instance)
        }
    }

    private func failed(_ peer: Int, _ attempt: Int) {
        guard isCurrent(), attempts[peer] == attempt else { return }
        machine.linkDown(peer, now: node.clock)
        drain()
    }

    private func send(_ request: ReplicaRequest, _ slot: OwnerSlot?, to peer: Int) {
        guard let link = openLinks.first(where: { $0.peer == peer }) else { return }
        let payload = request.kind == .write ? data[Int(slot!)] : []
        if request.kind == .promise { world.sensitive("a promise is asked for") }
        link.toReplica.send {
            if link.replicaProcess.isAlive { link.replica?.received(request, payload, on: link) }
        }
    }

    private func noticed(_ notice: OwnerNotice) {
        world.note("session \(session): \(notice)")
        switch notice {
        case .rebuildStarted: world.counts.rebuilds += 1
        case .reconciled(let regions): world.counts.reconciledRegions += Int(regions)
        case .repaired: world.counts.repairs += 1
        case .replicaFreed: world.counts.freedCopies += 1
        case .replicaJoined(let replica, _):
            world.counts.promotions += 1
            failedRebuilds.removeAll { $0 == replica }
        case .rebuildFailed(let replica):
            failedRebuilds = failedRebuilds.filter { $0 != replica } + [replica]
        case .replicaAdded:
            nextReplica = Identifier.random(using: &world.random)
        default: break
        }
        world.sensitive("a notice")
    }

    // MARK: The record

    private func changeConfiguration() {
        guard let change = machine.change else { return }
        changeTries += 1
        let mine = changeTries
        let pause = mine > 1 && world.random.chance(50) ? 100_000_000 : 0
        world.note("session \(session) proposes \(change.purpose) as epoch \(change.proposed.epoch)")
        world.sensitive("a change is proposed")
        aimAtCandidate(change)
        let isLate = world.faultsAllowed && world.random.chance(3)
        let way = world.random.nanoseconds(200_000...10_000_000) + UInt64(pause)
        world.after(way + (isLate ? 2_500_000_000 : 0)) { [self] in
            if world.network.storeCut[node.index] || (world.faultsAllowed && world.random.chance(3)) {
                return
            }
            let answer = world.record(change)
            let isHeldBack = world.faultsAllowed && (world.now < answersFrom || world.random.chance(5))
            if world.network.storeCut[node.index] || isHeldBack {
                return
            }
            world.after(200_000...10_000_000) { [self] in answered(answer, mine, change) }
        }
        world.after(2_000_000_000) { [self] in answered(.unknown, mine, change) }
    }

    /// The candidate loses power while it is unknown whether it is in sync (rule 17j).
    /// It is back before the answer is.
    private func aimAtCandidate(_ change: ConfigurationChange) {
        guard case .promote(let replica) = change.purpose, world.faultsAllowed,
            world.random.chance(world.sensitivity * 2),
            let target = change.proposed.replicas.first(where: { $0.id == replica }),
            target.node != node.id
        else { return }
        answersFrom = world.now + world.random.nanoseconds(4_000_000_000...6_000_000_000)
        world.counts.aimedFaults += 1
        world.note("a fault is aimed: the candidate loses power")
        let machine = world.node(target.node)
        world.after(1_000_000...300_000_000) {
            machine.losePower()
            machine.world.after(300_000_000...900_000_000) { machine.powerOn() }
        }
    }

    private func answered(_ answer: ChangeAnswer, _ attempt: Int, _ change: ConfigurationChange) {
        guard isCurrent(), attempt == changeTries, machine.change == change else { return }
        var answer = answer
        if answer == .unknown, world.settings.planted.contains(.outcomeByReading) {
            answer = .conflict(world.store.configuration)
        }
        if answer != .unknown { changeTries += 1 }
        machine.configurationAnswered(answer, now: node.clock)
        drain()
    }
}
