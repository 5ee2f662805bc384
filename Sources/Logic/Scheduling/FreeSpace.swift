import Records
import Units

/// The free space of all drives that may take copies, to be dealt out on paper.
struct FreeSpace {
    enum Answer: Equatable { case taken, noNode, noSpace }

    private struct Drive {
        var node: NodeID
        var free: UInt64
    }

    /// Heaps by drive type, the drive with the most space on top.
    private var ssd: [Drive] = []
    private var hdd: [Drive] = []

    init(_ view: ClusterView) {
        let promised = FreeSpace.promised(view)
        for node in view.nodes where node.isAlive && node.record.duty == .normal {
            for drive in node.record.drives where drive.status == .normal {
                var free = drive.free.bytes
                free -= min(free, SchedulingLimits.reserve(of: drive.total))
                free -= min(free, promised[drive.id].bytes)
                let entry = Drive(node: node.record.id, free: free)
                if drive.type == .ssd { ssd.append(entry) } else { hdd.append(entry) }
            }
        }
        // In descending order an array is a heap; the node decides, so that it is always the same.
        let order = { (a: Drive, b: Drive) in
            a.free != b.free ? a.free > b.free : a.node < b.node
        }
        ssd.sort(by: order)
        hdd.sort(by: order)
    }

    /// What copies that are still to be made will take.
    private static func promised(_ view: ClusterView) -> Provisioning {
        var promised = Provisioning()
        for volume in view.volumes where !volume.wanted.isDeleting {
            for place in volume.wanted.placement
            where !volume.configuration.replicas.contains(where: {
                $0.place == place && $0.state == .inSync
            }) {
                promised.add(ByteCount(volume.copyBytes), on: place.drive)
            }
        }
        return promised
    }

    /// Takes room for one copy on the node with the most, of those that may hold it.
    mutating func take(
        _ bytes: UInt64, _ type: WantedVolume.DriveType, except excluded: [NodeID]
    ) -> Answer {
        switch type {
        case .ssd: FreeSpace.take(bytes, &ssd, except: excluded)
        case .hdd: FreeSpace.take(bytes, &hdd, except: excluded)
        }
    }

    private static func take(
        _ bytes: UInt64, _ heap: inout [Drive], except excluded: [NodeID]
    ) -> Answer {
        var aside: [Drive] = []
        while let top = heap.first, excluded.contains(top.node) {
            aside.append(top)
            removeTop(&heap)
        }
        var answer = Answer.noNode
        if let top = heap.first {
            answer = top.free < bytes ? .noSpace : .taken
            if answer == .taken {
                heap[0].free -= bytes
                sink(&heap)
            }
        }
        for drive in aside { insert(drive, &heap) }
        return answer
    }

    // MARK: Heap

    private static func removeTop(_ heap: inout [Drive]) {
        let last = heap.removeLast()
        if heap.isEmpty { return }
        heap[0] = last
        sink(&heap)
    }

    private static func sink(_ heap: inout [Drive]) {
        var parent = 0
        while true {
            var largest = parent
            for child in [2 * parent + 1, 2 * parent + 2]
            where child < heap.count && heap[child].free > heap[largest].free {
                largest = child
            }
            if largest == parent { return }
            heap.swapAt(parent, largest)
            parent = largest
        }
    }

    private static func insert(_ drive: Drive, _ heap: inout [Drive]) {
        heap.append(drive)
        var child = heap.count - 1
        while child > 0, heap[(child - 1) / 2].free < heap[child].free {
            heap.swapAt(child, (child - 1) / 2)
            child = (child - 1) / 2
        }
    }
}
