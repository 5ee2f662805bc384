import Records
import Units

/// Where copies should lie from now on. The owner follows: it adds and rebuilds what a placement
/// names, and gives back what it no longer names, once enough others are in sync.
///
/// First every volume is given what needs no choice: a copy at the node that uses it, and copies
/// that are already whole in place of those that are not. Then lost copies get new places, those
/// volumes first that have the fewest nodes to go to. What had to wait for room or for a node's
/// rebuilds is tried again when a later change has made some.
///
/// A placement that an operator has fixed is kept by the same rules: it is left only for a lost
/// node, or for the node that the volume was explicitly attached at.
struct PlacementPlanner {
    let table: NodeTable
    private let view: ClusterView
    private var rooms: RoomLedger
    private var placements: [[Place]]

    init(_ view: ClusterView, _ table: NodeTable) {
        self.view = view
        self.table = table
        rooms = RoomLedger(view, table, rebuildsMax: max(1, view.settings.rebuildsPerNodeMax))
        placements = view.volumes.map(\.wanted.placement)
    }

    mutating func plan() -> [SchedulerChange] {
        var open: [Int] = []
        for index in view.volumes.indices where needsAttention(view.volumes[index]) {
            open.append(index)
        }
        for index in open { settle(index, replacingLost: false) }
        var blocked = fewestChoicesFirst(open)
        repeat {
            rooms.forgetReleases()
            blocked = blocked.filter { !settle($0, replacingLost: true) }
        } while rooms.hasReleased && !blocked.isEmpty
        return open.flatMap(changes)
    }

    private func fewestChoicesFirst(_ open: [Int]) -> [Int] {
        var order = open.map { index in
            let wanted = view.volumes[index].wanted
            return (choices: rooms.choices(for: placements[index], wanted), index: index)
        }
        order.sort { ($0.choices, $0.index) < ($1.choices, $1.index) }
        return order.map(\.index)
    }

    private func changes(_ index: Int) -> [SchedulerChange] {
        let wanted = view.volumes[index].wanted
        var changes: [SchedulerChange] = []
        if placements[index] != wanted.placement {
            changes.append(.setPlacement(wanted.id, placements[index]))
        }
        if wanted.rebuildTo != nil && target(index) == nil {
            changes.append(.setRebuildTo(wanted.id, nil))
        }
        return changes
    }

    /// A quick look that passes over the many volumes that are as they should be.
    private func needsAttention(_ volume: VolumeView) -> Bool {
        let wanted = volume.wanted
        if wanted.isDeleting { return false }
        if wanted.rebuildTo != nil { return true }
        guard table.hasSource(volume.configuration) else { return false }
        if wanted.placement.count != wanted.copies { return true }
        for place in wanted.placement {
            if table.state(of: place) == .lost || !isWhole(place, volume) { return true }
        }
        guard let user = wanted.attachTo, table.isAlive(user) else { return false }
        return !wanted.placement.contains { $0.node == user }
    }

    private func isWhole(_ place: Place, _ volume: VolumeView) -> Bool {
        volume.configuration.replicas.contains { $0.place == place && $0.state == .inSync }
    }

    // MARK: One volume

    /// The operator's target while there is something to do about it.
    private func target(_ index: Int) -> NodeID? {
        let volume = view.volumes[index]
        let wanted = volume.wanted
        guard let node = wanted.rebuildTo, table.position(node) != nil else { return nil }
        if volume.configuration.replicas.contains(where: {
            $0.node == node && $0.state == .inSync && placements[index].contains($0.place)
                && table.state(of: $0.place) != .lost
        }) {
            return nil
        }
        // The only copy stays with the node that uses the volume.
        if wanted.copies < 2, let user = user(volume), user != node { return nil }
        return node
    }

    private func user(_ volume: VolumeView) -> NodeID? {
        volume.wanted.attachTo.flatMap { table.isAlive($0) ? $0 : nil }
    }

    /// - Returns: whether nothing is left that other volumes' changes could make possible.
    @discardableResult
    private mutating func settle(_ index: Int, replacingLost: Bool) -> Bool {
        let volume = view.volumes[index]
        guard table.hasSource(volume.configuration) else { return true }
        let kept = [user(volume), target(index)].compactMap(\.self)
        var isSettled = true
        for node in kept where !give(node, index, keeping: kept) { isSettled = false }
        while placements[index].count > max(1, volume.wanted.copies) {
            drop(victim(index, keeping: kept), index)
        }
        adoptWhole(index, keeping: kept)
        if replacingLost && !replaceLost(index) { isSettled = false }
        return isSettled
    }

    /// Gives the volume a place at that node, which may have one already, on a drive that is lost.
    private mutating func give(_ node: NodeID, _ index: Int, keeping kept: [NodeID]) -> Bool {
        let volume = view.volumes[index]
        let held = placements[index].firstIndex { $0.node == node }
        if let held, table.state(of: placements[index][held]) != .lost { return true }
        guard let place = newPlace(at: node, volume) else { return false }
        if let held {
            drop(held, index)
        } else if placements[index].count >= volume.wanted.copies {
            drop(victim(index, keeping: kept), index)
        }
        take(place, index, at: held ?? 0)
        return true
    }

    /// Copies that are in sync but were given up count instead of those that are still to be made:
    /// the node of one was back before its replacement was ready.
    private mutating func adoptWhole(_ index: Int, keeping kept: [NodeID]) {
        let volume = view.volumes[index]
        for replica in volume.configuration.replicas
        where replica.state == .inSync && table.state(of: replica.place) == .present {
            if placements[index].contains(where: { $0.node == replica.node }) { continue }
            guard let position = placements[index].lastIndex(where: { place in
                switch table.state(of: place) {
                case .lost: true
                case .away: !kept.contains(place.node)
                case .present: !kept.contains(place.node) && !isWhole(place, volume)
                }
            }) else { return }
            drop(position, index)
            take(replica.place, index, at: position)
        }
    }

    /// - Returns: whether every copy has a place that is not lost.
    private mutating func replaceLost(_ index: Int) -> Bool {
        let volume = view.volumes[index]
        var isComplete = true
        for position in placements[index].indices {
            let old = placements[index][position]
            guard table.state(of: old) == .lost else { continue }
            guard let place = newPlace(volume, others: placements[index], instead: old) else {
                isComplete = false
                continue
            }
            drop(position, index)
            take(place, index, at: position)
        }
        while placements[index].count < volume.wanted.copies {
            guard let place = newPlace(volume, others: placements[index], instead: nil) else {
                return false
            }
            take(place, index, at: placements[index].count)
        }
        return isComplete
    }

    // MARK: Choices

    /// The place that is missed least: lost before away, not in sync before in sync, and the last
    /// of the list among equals.
    private func victim(_ index: Int, keeping kept: [NodeID]) -> Int {
        let volume = view.volumes[index]
        var best = (rank: Int.max, position: 0)
        for (position, place) in placements[index].enumerated() {
            var rank =
                switch table.state(of: place) {
                case .lost: 0
                case .away: 1
                case .present: isWhole(place, volume) ? 3 : 2
                }
            if kept.contains(place.node) { rank += 4 }
            if rank <= best.rank { best = (rank, position) }
        }
        return best.position
    }

    /// A replica that lies there already is taken up again, else the node's best drive.
    private func newPlace(at node: NodeID, _ volume: VolumeView) -> Place? {
        for replica in volume.configuration.replicas
        where replica.node == node && table.state(of: replica.place) == .present {
            return replica.place
        }
        guard let position = table.position(node) else { return nil }
        return rooms.place(at: position, CopyDemand(volume.wanted))
    }

    /// A stale copy that lies on a live node is taken up again, since a delta may do; else the
    /// best of all nodes that hold none.
    private func newPlace(_ volume: VolumeView, others: [Place], instead old: Place?) -> Place? {
        let taken = others.filter { $0 != old }.map(\.node)
        for replica in volume.configuration.replicas
        where !replica.isVoid && !taken.contains(replica.node) {
            if table.state(of: replica.place) == .present { return replica.place }
        }
        return rooms.best(CopyDemand(volume.wanted), except: taken)
    }

    // MARK: Bookkeeping

    private mutating func take(_ place: Place, _ index: Int, at position: Int) {
        placements[index].insert(place, at: position)
        rooms.take(place, for: view.volumes[index])
    }

    private mutating func drop(_ position: Int, _ index: Int) {
        let place = placements[index].remove(at: position)
        rooms.giveBack(place, of: view.volumes[index])
    }
}
