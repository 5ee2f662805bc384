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
        note("a fault is aimed: \(moment())")
        after(UInt64(pause)) { [self] in if faultsAllowed { fault() } }
    }

    private func fault() {
        let node = nodes[random.below(nodes.count)]
        switch random.below(100) {
        case ..<22:
            node.kill()
            after(100_000_000...6_000_000_000) { node.start() }
        case ..<37:
            node.losePower()
            after(500_000_000...8_000_000_000) { node.powerOn() }
        case ..<41: losePowerEverywhere()
        case ..<60: partition(node)
        case ..<70: cutFromStore(node)
        case ..<80:
            node.slowness = UInt64(random.pick([5, 50, 1000]))
            after(500_000_000...4_000_000_000) { node.slowness = 1 }
        case ..<90: heal()
        default: moveVolume()
        }
    }

    private func losePowerEverywhere() {
        for node in nodes {
            node.losePower()
            after(500_000_000...4_000_000_000) { node.powerOn() }
        }
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
            for other in nodes { network.set(node.index, other.index, isCut: false) }
            network.storeCut[node.index] = false
        }
    }

    private func cutFromStore(_ node: SimulatedNode) {
        network.storeCut[node.index] = true
        note("node \(short(node.id)) is cut off from the metadata service")
        after(300_000_000...7_000_000_000) { [self] in network.storeCut[node.index] = false }
    }

    private func heal() {
        note("the network is whole")
        network.heal()
    }

    private func moveVolume() {
        let target = nodes[random.below(nodes.count)].id
        note("an operator moves the volume to node \(short(target))")
        store.wantedOwner = target
    }
}
