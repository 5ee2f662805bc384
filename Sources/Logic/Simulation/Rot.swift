import Units

/// Bit rot: blocks on a drive that change by themselves.
extension World {
    func beginRotting() {
        // Three seeds in four have drives that keep what they are given.
        guard settings.rots, rotRandom.chance(25) else { return }
        rot()
    }

    private func rot() {
        after(rotRandom.nanoseconds(100_000_000...1_500_000_000)) { [self] in
            guard faultsAllowed else { return }
            rotOneBlock()
            rot()
        }
    }

    /// Of a copy in sync, and only where another one has all of the region.
    private func rotOneBlock() {
        let block = rotRandom.below(Shape.sectors / Shape.sectorsPerBlock)
        let copies = store.configuration.inSync.compactMap { node($0.node).files($0.id) }
        let index = rotRandom.below(max(1, copies.count))
        let first = block / Shape.blocksPerRegion * Shape.sectorsPerRegion
        let region = Array(first..<first + Shape.sectorsPerRegion)
        let isElsewhere = copies.enumerated().contains { $0 != index && !$1.isRotten(region) }
        guard isElsewhere, !copies[index].isRotten([block * Shape.sectorsPerBlock]) else { return }
        counts.rottenBlocks += 1
        note("block \(block) rots on node \(short(store.configuration.inSync[index].node))")
        copies[index].rot(block)
    }
}
