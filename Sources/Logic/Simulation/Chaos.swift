/// Faults: at random, and at the moments that are sensitive.
extension World {
    func beginFaults() {
        after(200_000_000...3_000_000_000) { [self] in
            guard faultsAllowed else { return }
            fault()
            beginFaults()
        }
    }

    /// Something has just happened that a fault should meet.
    func sensitive(_ moment: @autoclosure () -> String) {
        guard faultsAllowed, random.chance(sensitivity) else { return }
        let pause = random.pick([0, 100_000, 1_000_000, 10_000_000])
        counts.aimedFaults += 1
        note("a fault is aimed: \(moment())")
        after(UInt64(pause)) { [self] in if faultsAllowed { fault() } }
    }

    private func fault() {
        // It needs its stage for itself.
        if trap != nil { return }
        let node = nodes[random.below(nodes.count)]
        switch random.below(100) {
        case ..<19:
            node.kill()
            after(100_000_000...6_000_000_000) { node.start() }
        case ..<33:
            node.losePower()
            after(500_000_000...8_000_000_000) { node.powerOn() }
        case ..<37: losePowerEverywhere()
        case ..<53: partition(node)
        case ..<62: cutFromStore(node)
        case ..<70: slowDown(node)
        case ..<77: breakConnection(node)
        case ..<81: setLeaseTrap()
        case ..<90: heal()
        default: command(node)
        }
    }

    private func losePowerEverywhere() {
        for node in nodes {
            node.losePower()
            after(500_000_000...4_000_000_000) { node.powerOn() }
        }
    }

    private func slowDown(_ node: SimulatedNode) {
        node.slowness = UInt64(random.pick([5, 50, 1000]))
        after(500_000_000...4_000_000_000) { node.slowness = 1 }
    }

    private func partition(_ node: SimulatedNode) {
        counts.partitions += 1
        let isWhole = random.chance(50)
        for other in nodes where other !== node && (isWhole || random.chance(50)) {
            network.set(node.index, other.index, isCut: true)
        }
        if isWhole && random.chance(70) { network.storeCut[node.index] = true }
        note("node \(short(node.id)) is cut off, \(isWhole ? "from all" : "from some")")
        after(300_000_000...9_000_000_000) { [self] in
            if trap != nil { return }
            for other in nodes { network.set(node.index, other.index, isCut: false) }
            network.storeCut[node.index] = false
        }
    }

    private func cutFromStore(_ node: SimulatedNode) {
        network.storeCut[node.index] = true
        note("node \(short(node.id)) is cut off from the metadata service")
        after(300_000_000...7_000_000_000) { [self] in
            if trap == nil { network.storeCut[node.index] = false }
        }
    }

    func heal() {
        note("the network is whole")
        network.heal()
    }

    /// An owner's connection breaks while its requests lie on a slow drive; the way is whole, so
    /// that it is opened anew at once and the same requests come again, to a drive that is fast.
    private func breakConnection(_ node: SimulatedNode) {
        guard let owner = node.process?.owner, !owner.openLinks.isEmpty else { return }
        let link = owner.openLinks[random.below(owner.openLinks.count)]
        let target = nodes[link.replicaNode]
        target.slowness = UInt64(random.pick([1, 1000, 4000]))
        note("the connection to node \(short(target.id)) will break, its drive is slow")
        after(10_000_000...150_000_000) { [self] in
            target.slowness = 1
            note("a connection of session \(owner.session) breaks")
            owner.lost(link)
        }
    }

    /// What an operator may ask for.
    private func command(_ node: SimulatedNode) {
        switch random.below(10) {
        case ..<6:
            note("an operator moves the volume to node \(short(node.id))")
            store.wanted.attachTo = node.id
        case ..<8:
            note("an operator detaches the volume")
            store.wanted.parkedAt = store.wanted.wantedOwner
            store.wanted.attachTo = nil
        default:
            note("an operator asks for a copy on node \(short(node.id))")
            store.wanted.rebuildTo = node.id
        }
    }
}
