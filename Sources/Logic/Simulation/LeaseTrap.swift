import Records
import Replication

/// A fault in several acts that only leases and durable promises keep harmless.
///
/// An owner with a copy of its own is cut off from the metadata service, but not from its other
/// copy, and reads. Another node, which reaches neither, takes over. Just before the other copy
/// hears of that it is killed and restarted, and the old owner is alone with its leases. Later,
/// when the new owner serves, the other copy is restarted once more and reaches only the old one.
///
///     old ──── copy        old     copy†────new        old ──── copy†    new
///          (claims) new
struct LeaseTrap {
    let old: Int
    let copy: Int
    let new: Int
    var isSprung = false
}

extension World {
    func setLeaseTrap() {
        guard trap == nil, let old = nodes.first(where: { $0.process?.owner?.machine.isServing ?? false }),
            let copy = remoteCopy(of: old), let new = outsider(old, copy)
        else { return }
        counts.aimedFaults += 1
        note(
            "a lease trap: node \(short(old.id)) and its copy on node \(short(copy.id)), "
                + "node \(short(new.id)) takes over")
        trap = LeaseTrap(old: old.index, copy: copy.index, new: new.index)
        network.heal()
        network.storeCut[old.index] = true
        network.set(new.index, old.index, isCut: true)
        network.set(new.index, copy.index, isCut: true)
        store.wanted.attachTo = new.id
        after(16_000_000_000) { [self] in
            guard trap != nil else { return }
            trap = nil
            heal()
        }
    }

    /// The one other copy in sync; none where there are more, which would have to be silent too.
    private func remoteCopy(of owner: SimulatedNode) -> SimulatedNode? {
        let others = store.configuration.inSync.filter { $0.node != owner.id }
        guard others.count == 1, let other = others.first else { return nil }
        let node = node(other.node)
        return node.process == nil ? nil : node
    }

    private func outsider(_ old: SimulatedNode, _ copy: SimulatedNode) -> SimulatedNode? {
        nodes.first { $0 !== old && $0 !== copy && $0.process != nil }
    }

    /// The new owner's claim is recorded.
    func springTrap(_ change: ConfigurationChange) {
        guard let set = trap, !set.isSprung, faultsAllowed, change.purpose == .claim,
            change.proposed.owner?.node == nodes[set.new].id
        else { return }
        trap!.isSprung = true
        after(1_200_000_000...1_800_000_000) { [self] in
            guard trap != nil, faultsAllowed else { return }
            note("the trap: the copy restarts, the old owner is alone")
            network.set(set.old, set.copy, isCut: true)
            network.set(set.new, set.copy, isCut: false)
            restart(nodes[set.copy])
            after(3_000_000_000...4_200_000_000) { [self] in turnTrap() }
        }
    }

    /// Back to the old owner.
    private func turnTrap() {
        guard let set = trap, faultsAllowed else { return }
        note("the trap: the copy restarts, and reaches the old owner only")
        network.set(set.new, set.copy, isCut: true)
        network.set(set.old, set.copy, isCut: false)
        restart(nodes[set.copy])
    }

    private func restart(_ node: SimulatedNode) {
        node.kill()
        node.start()
    }
}
