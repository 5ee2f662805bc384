import Records
import Replication
import Scheduling
import Units

/// The two phases of a run: safety under faults, then everything must heal.
extension World {
    func begin() {
        for node in nodes { node.start() }
        clients()
        after(1_500_000_000) { [self] in
            beginFaults()
            beginRotting()
        }
    }

    /// Requests at whichever nodes have a session, a few at a time.
    private func clients() {
        if trap == nil && (workload.isFaultPhaseOver || now > 240_000_000_000) {
            endFaults()
            return
        }
        for node in nodes {
            guard let owner = node.process?.owner, owner.machine.isServing || random.chance(5) else { continue }
            let burst = random.pick(trap == nil ? [0, 1, 1, 2, 6] : [0, 1, 1, 2])
            // One that is cut off may go on reading, if its requests do not wait for writes.
            let readsOnly = trap.map { $0.old == node.index } ?? false
            for _ in 0..<burst where owner.clientsUnderWay < 40 {
                let operation = workload.next(for: owner.session, readsOnly: readsOnly, self)
                if !owner.submit(operation) { workload.abandoned(operation, self) }
            }
        }
        after(trap == nil ? 1_000_000...60_000_000 : 20_000_000...200_000_000) { [self] in clients() }
    }

    private func endFaults() {
        faultsAllowed = false
        trap = nil
        note("faults stop: everything must heal")
        network.heal()
        for node in nodes {
            node.slowness = 1
            for replica in node.drive { replica.files.stopRotting() }
            node.powerOn()
            node.start()
        }
        awaitHealth(until: now + 180_000_000_000)
    }

    private func awaitHealth(until deadline: UInt64) {
        if let owner = healthyOwner() {
            readBack(owner)
            return
        }
        if now > deadline {
            noteSessions()
            fail("did not heal: \(condition)")
            return
        }
        after(500_000_000) { [self] in awaitHealth(until: deadline) }
    }

    private func healthyOwner() -> OwnerHost? {
        let record = store.configuration
        let seen = store.snapshot(now: now)
        guard let wantedOwner = store.wanted.wantedOwner,
            let owner = node(wantedOwner).process?.owner, owner.machine.isServing,
            owner.machine.recorded == record, owner.machine.unequalRegions == 0,
            record.inSync.count == store.wanted.copies,
            record.replicas.count == store.wanted.copies,
            owner.machine.rebuildStatus == nil, store.tombstones.isEmpty,
            seen.isAlive.allSatisfy(\.self), isPlaced(record),
            plan(Leader.view(seen, silentFor: nodes.map { _ in 0 })).isEmpty
        else { return nil }
        return owner
    }

    private func isPlaced(_ record: VolumeConfiguration) -> Bool {
        record.replicas.allSatisfy {
            store.wanted.placement.contains(Place(node: $0.node, drive: $0.drive))
        }
    }

    private func noteSessions() {
        for node in nodes {
            if let owner = node.process?.owner { note("session \(owner.session): \(owner.machine.summary)") }
        }
    }

    private var condition: String {
        let record = store.configuration
        let owner = store.wanted.wantedOwner.flatMap { node($0).process?.owner }
        let seen = store.snapshot(now: now)
        let changes = plan(Leader.view(seen, silentFor: nodes.map { _ in 0 }))
        let sessions = nodes.compactMap { $0.process?.owner?.session }
        return "epoch \(record.epoch), in sync \(record.inSync.map { short($0.node) }), replicas "
            + "\(record.replicas.map { short($0.node) }), wanted "
            + "\(store.wanted.placement.map { short($0.node) }), owner wanted "
            + "\(store.wanted.wantedOwner.map { short($0) } ?? "none"), plan \(changes), sessions "
            + "\(sessions), serving "
            + "\(owner?.machine.isServing ?? false), waits for \(String(describing: owner?.machine.waitsFor)), "
            + "tombstones \(store.tombstones.count), operations \(workload.underWay)"
    }

    // MARK: The end

    private func readBack(_ owner: OwnerHost) {
        note("healed: everything is read")
        for region in 0..<Shape.regions {
            _ = owner.submit(workload.readBack(region: region, session: owner.session, self))
        }
        _ = owner.submit(workload.flush(session: owner.session, self))
        awaitQuiet(owner, until: now + 60_000_000_000)
    }

    private func awaitQuiet(_ owner: OwnerHost, until deadline: UInt64) {
        // A machine that came back without its last writes may end the session still.
        guard owner.isCurrent() else {
            awaitHealth(until: now + 180_000_000_000)
            return
        }
        if workload.underWay == 0 {
            checkEqual()
            owner.command { machine, now in machine.close(now: now) }
            store.isOver = true
            store.wanted.attachTo = nil
            store.wanted.parkedAt = nil
            awaitRelease(until: now + 60_000_000_000)
            return
        }
        if now > deadline {
            noteSessions()
            fail("\(workload.underWay) requests were never answered: \(condition)")
            return
        }
        after(100_000_000) { [self] in awaitQuiet(owner, until: deadline) }
    }

    private func awaitRelease(until deadline: UInt64) {
        if store.configuration.released {
            checkEqual()
            checkCheckpoints()
            note("the end")
            workload.isOver = true
        } else if now > deadline {
            fail("the session was never released")
        } else {
            after(100_000_000) { [self] in awaitRelease(until: deadline) }
        }
    }
}
