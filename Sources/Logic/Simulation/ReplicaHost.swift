import Records
import Replication
import Units
import WireFormat

/// Performs what a replica's machine decides, on the simulated drive and network.
final class ReplicaHost {
    var machine: ReplicaMachine
    let id: ReplicaID
    let files: SimulatedReplicaFiles
    let process: SimulatedProcess
    private var links: [SimulatedLink] = []
    private var data: [SimulatedData]
    private var entries: [[RegionEntry]]
    private var isDraining = false
    private let alarm = Alarm()

    private var world: World { process.world }
    private var node: SimulatedNode { process.node }

    init(id: ReplicaID, files: SimulatedReplicaFiles, process: SimulatedProcess) {
        self.id = id
        self.files = files
        self.process = process
        var map = RegionMap(regionCount: UInt64(Shape.regions))
        for region in 0..<Shape.regions where files.stamps[region] != .zero {
            map.load(UInt64(region), files.stamps[region])
        }
        machine = ReplicaMachine(
            state: files.state, map: map, boot: process.node.boot, timing: process.world.timing,
            now: process.node.clock, faults: process.world.settings.planted)
        data = Array(repeating: [], count: ReplicationLimits.replicaOperationsMax)
        entries = Array(repeating: [], count: ReplicationLimits.replicaOperationsMax)
    }

    // MARK: Events

    func connected(_ link: SimulatedLink, instance: InstanceID) {
        links.append(link)
        machine.connected(link.id, instance: instance, now: node.clock)
        drain()
    }

    func received(_ request: ReplicaRequest, _ payload: SimulatedData, on link: SimulatedLink) {
        guard link.replicaOpen else { return }
        if let slot = machine.received(request, on: link.id, now: node.clock) {
            data[Int(slot)] = payload
        }
        drain()
    }

    func disconnected(_ link: SimulatedLink) {
        guard link.replicaOpen else { return }
        link.replicaOpen = false
        machine.disconnected(link.id, now: node.clock)
        links.removeAll { $0 === link }
        drain()
    }

    // MARK: Actions

    private func drain() {
        if isDraining { return }
        isDraining = true
        while process.isAlive, let action = machine.actions.next() { perform(action) }
        isDraining = false
    }

    private func perform(_ action: ReplicaAction) {
        switch action {
        case .answerHello(let id): answerHello(id)
        case .closeLink(let id):
            guard let link = links.first(where: { $0.id == id }) else { return }
            links.removeAll { $0 === link }
            link.replicaOpen = false
            link.toOwner.send { link.session.lost(link) }
        case .writeState(let state): writeState(state)
        case .writePage(let page): writePage(page)
        case .perform(let slot): perform(slot)
        case .reply(let id, let reply, let slot): send(reply, slot, on: id)
        case .wake(let instant):
            alarm.set(instant, on: node) { [self] in
                guard process.isAlive else { return }
                machine.tick(now: node.clock)
                drain()
            }
        }
    }

    private func answerHello(_ id: LinkID) {
        guard let link = links.first(where: { $0.id == id }) else { return }
        let incarnation = process.incarnation
        let boot = node.boot
        link.toOwner.send { link.session.helloAnswered(link, incarnation: incarnation, boot: boot) }
    }

    private func send(_ reply: ReplicaReply, _ slot: ReplicaSlot?, on id: LinkID) {
        guard let link = links.first(where: { $0.id == id }) else { return }
        let payload = slot.map { data[Int($0)] } ?? []
        let list = reply.kind == .list ? slot.map { entries[Int($0)] } ?? [] : []
        link.toOwner.send { link.session.replied(link, reply, payload, list) }
    }

    // MARK: The drive

    private var driveDelay: UInt64 {
        let random = world.random.nanoseconds(20_000...400_000)
        let isSpike = world.faultsAllowed && world.random.chance(1)
        // Beyond this a drive counts as dead.
        return min(random * node.slowness * (isSpike ? 50 : 1), 20_000_000_000)
    }

    /// Ends later, whatever becomes of the process; lost with the machine's power.
    private func later(_ delay: UInt64, _ effect: @escaping () -> Void, then done: @escaping () -> Void) {
        let era = files.era
        files.operationsUnderWay += 1
        world.after(delay) { [self] in
            guard files.era == era else { return }
            files.operationsUnderWay -= 1
            effect()
            guard process.isAlive else { return }
            done()
            drain()
        }
    }

    private func writeState(_ state: ReplicaState) {
        files.stateUnderWay = state
        later(driveDelay) { [files] in
            files.state = state
            files.stateUnderWay = nil
        } then: { [self] in
            machine.stateWritten(state, isDurable: true, now: node.clock)
        }
    }

    private func writePage(_ page: Int) {
        let stamps = (0..<Shape.regions).map { machine.map[UInt64($0)] }
        files.marksUnderWay[page] = stamps
        later(driveDelay) { [files] in
            files.stamps = stamps
            files.marksUnderWay[page] = nil
        } then: { [self] in
            machine.pageWritten(page, isDurable: true, now: node.clock)
        }
    }

    private func perform(_ slot: ReplicaSlot) {
        let request = machine.request(in: slot)
        switch request.kind {
        case .read: read(slot, request)
        case .write, .discard, .writeZeroes: change(slot, request)
        case .flush:
            let begun = files.beginFlush()
            later(driveDelay * 2) { [files] in files.flushed(upTo: begun) } then: { [self] in
                machine.performed(slot, .ok, now: node.clock)
            }
        case .list: list(slot, request)
        case .promise, .lease, .giveLeaseBack, .checkpoint, .whole:
            world.fail("a replica performs \(request.kind)")
        }
    }

    private func read(_ slot: ReplicaSlot, _ request: ReplicaRequest) {
        let indices = Shape.sectors(in: request.range)
        var status = ReplyStatus.ok
        later(driveDelay) { [self] in
            if process.isAlive { data[Int(slot)] = files.read(indices) }
            if files.isRotten(indices) { status = .badChecksum }
        } then: { [self] in
            machine.performed(slot, status, now: node.clock)
        }
    }

    /// In two halves at different times, so that a torn one can be seen.
    private func change(_ slot: ReplicaSlot, _ request: ReplicaRequest) {
        let indices = Shape.sectors(in: request.range)
        let content =
            request.kind == .write
            ? data[Int(slot)] : SimulatedData(repeating: 0, count: indices.count)
        let half = indices.count / 2
        let first = driveDelay
        later(first) { [files] in files.apply(content, at: indices[..<half], from: 0) } then: {}
        later(first + driveDelay) { [files, world] in
            files.apply(content, at: indices[half...], from: half)
            if request.forceUnitAccess { files.flushed(only: indices) }
            world.counts.events += 1
        } then: { [self] in
            machine.performed(slot, .ok, now: node.clock)
        }
    }

    private func list(_ slot: ReplicaSlot, _ request: ReplicaRequest) {
        // Two at a time, so that paging is exercised.
        let page = UnsafeMutableBufferPointer<RegionEntry>.allocate(capacity: 2)
        defer { page.deallocate() }
        let (count, next) = machine.map.list(above: request.stamp, from: request.range.offset, into: page)
        entries[Int(slot)] = Array(page[..<count])
        machine.performed(slot, .ok, nextRegion: next, now: node.clock)
    }
}
