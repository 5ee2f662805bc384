import Records
import Replication
import Units

/// The two phases of a run: safety under faults, then everything must heal.
extension World {
    func begin() {
        for node in nodes { node.start() }
        clients()
        after(1_500_000_000) { [self] in beginFaults() }
    }

    /// Requests at whichever nodes have a session, a few at a time.
    private func clients() {
        if workload.isFaultPhaseOver || now > 240_000_000_000 {
            endFaults()
            return
        }
        for node in nodes {
            guard let owner = node.process?.owner, owner.machine.isServing || random.chance(5) else { continue }
            let burst = random.pick([0, 1, 1, 2, 6])
            for _ in 0..<burst where workload.underWay < 48 {
                let operation = workload.next(for: owner.session, self)
                if !owner.submit(operation) { workload.abandoned(operation, self) }
            }
        }
        after(1_000_000...60_000_000) { [self] in clients() }
    }

    private func endFaults() {
        faultsAllowed = false
        note("faults stop: everything must heal")
        network.heal()
        for node in nodes {
            node.slowness = 1
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
        guard let owner = node(store.wantedOwner).process?.owner, owner.machine.isServing,
            owner.machine.recorded == record, owner.machine.unequalRegions == 0,
            record.inSync.count == store.copies, record.replicas.count == store.copies,
            owner.machine.rebuildStatus == nil, store.tombstones.isEmpty,
            Set(record.replicas.map(\.node)) == Set(store.placement)
        else { return nil }
        return owner
    }

    private func noteSessions() {
        for node in nodes {
            if let owner = node.process?.owner { note("session \(owner.session): \(owner.machine.summary)") }
        }
    }

    private var condition: String {
        let record = store.configuration
        let owner = node(store.wantedOwner).process?.owner
        let sessions = nodes.compactMap { $0.process?.owner?.session }
        return "epoch \(record.epoch), in sync \(record.inSync.map { short($0.node) }), replicas "
            + "\(record.replicas.map { short($0.node) }), wanted \(store.placement.map { short($0) }), "
            + "owner wanted \(short(store.wantedOwner)), sessions \(sessions), serving "
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
        if workload.underWay == 0 {
            checkEqual()
            owner.command { machine, now in machine.close(now: now) }
            store.wantedOwner = NodeID.zero
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
