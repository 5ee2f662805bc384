import Records
import Units

/// What the nodes can still take while a plan is being made.
struct RoomLedger {
    private let table: NodeTable
    private let rebuildsMax: Int
    private var provisioned: Provisioning
    /// Copies of each node that are not in sync yet and that have a source.
    private var rebuilds: [Int]
    /// Nodes that could take a copy by all but its size, by drive type.
    private let able: [WantedVolume.DriveType: [Bool]]
    private let ableCount: [WantedVolume.DriveType: Int]
    /// Live nodes below the limit of rebuilds: none is left when a whole room has failed.
    private var openCount: Int
    /// Something was given back that another volume may have waited for.
    private(set) var hasReleased = false

    init(_ view: ClusterView, _ table: NodeTable, rebuildsMax: Int) {
        self.table = table
        self.rebuildsMax = rebuildsMax
        let provisioned = Provisioning(view.volumes)
        self.provisioned = provisioned
        rebuilds = Array(repeating: 0, count: view.nodes.count)
        var able: [WantedVolume.DriveType: [Bool]] = [:]
        var ableCount: [WantedVolume.DriveType: Int] = [:]
        for type in WantedVolume.DriveType.allCases {
            let demand = CopyDemand(size: ByteCount(0), type: type, provision: .thin)
            let flags = view.nodes.map { node in
                if case .success = node.room(for: demand, provisioned) { true } else { false }
            }
            able[type] = flags
            ableCount[type] = flags.count { $0 }
        }
        self.able = able
        self.ableCount = ableCount
        openCount = view.nodes.count { $0.isAlive }
        for volume in view.volumes where !volume.wanted.isDeleting {
            countRebuilds(of: volume)
        }
    }

    private mutating func countRebuilds(of volume: VolumeView) {
        let configuration = volume.configuration
        if volume.wanted.placement.allSatisfy({ isWhole($0, configuration) }) { return }
        guard table.hasSource(configuration) else { return }
        for place in volume.wanted.placement where !isWhole(place, configuration) {
            countRebuild(at: place, 1)
        }
    }

    private func isWhole(_ place: Place, _ configuration: VolumeConfiguration) -> Bool {
        configuration.replicas.contains { $0.place == place && $0.state == .inSync }
    }

    private mutating func countRebuild(at place: Place, _ change: Int) {
        guard let position = table.position(place.node), table.nodes[position].isAlive
        else { return }
        let wasOpen = rebuilds[position] < rebuildsMax
        rebuilds[position] += change
        let isOpen = rebuilds[position] < rebuildsMax
        if wasOpen != isOpen { openCount += isOpen ? 1 : -1 }
    }

    // MARK: Questions

    /// How many nodes a volume could go to from that placement.
    func choices(for placement: [Place], _ wanted: WantedVolume) -> Int {
        let flags = able[wanted.driveType] ?? []
        let taken = placement.count { place in
            table.position(place.node).map { flags[$0] } ?? false
        }
        return (ableCount[wanted.driveType] ?? 0) - taken
    }

    func place(at position: Int, _ demand: CopyDemand) -> Place? {
        room(at: position, demand)?.place
    }

    func best(_ demand: CopyDemand, except taken: [NodeID]) -> Place? {
        guard openCount > 0, let flags = able[demand.type] else { return nil }
        var best: (place: Place, rank: RoomRank)?
        for position in table.nodes.indices where flags[position] {
            if taken.contains(table.nodes[position].record.id) { continue }
            guard let room = room(at: position, demand) else { continue }
            if best == nil || room.rank < best!.rank { best = room }
        }
        return best?.place
    }

    private func room(at position: Int, _ demand: CopyDemand) -> (place: Place, rank: RoomRank)? {
        guard rebuilds[position] < rebuildsMax else { return nil }
        let node = table.nodes[position]
        guard case .success(let room) = node.room(for: demand, provisioned) else { return nil }
        return (Place(node: node.record.id, drive: room.drive), room.rank)
    }

    // MARK: Changes

    mutating func forgetReleases() { hasReleased = false }

    mutating func take(_ place: Place, for volume: VolumeView) {
        if !holds(volume, place) { provisioned.add(volume.wanted.size, on: place.drive) }
        if !isWhole(place, volume.configuration) { countRebuild(at: place, 1) }
    }

    /// A copy that exists keeps its room until its owner has freed it.
    mutating func giveBack(_ place: Place, of volume: VolumeView) {
        if !holds(volume, place) {
            provisioned.remove(volume.wanted.size, on: place.drive)
            hasReleased = true
        }
        if !isWhole(place, volume.configuration) {
            countRebuild(at: place, -1)
            hasReleased = true
        }
    }

    private func holds(_ volume: VolumeView, _ place: Place) -> Bool {
        volume.configuration.replicas.contains { $0.place == place }
    }
}
