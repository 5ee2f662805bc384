import Replication
import Units

/// A request of a simulated client, and what the oracle has to know of it.
struct ClientOperation {
    let number: Int
    let request: ClientRequest
    /// The sectors that it reads or writes.
    let sectors: [Int]
    /// What a write carries, sector by sector of the client's own range.
    let content: SimulatedData
    /// The sectors of the whole blocks around it.
    let blockSectors: [Int]
    let askedAt: UInt64
    let session: Int

    var isWrite: Bool { if case .write = request { true } else { false } }
    var isFlush: Bool { request == .flush }
    var isRead: Bool { if case .read = request { true } else { false } }
    var forcesUnitAccess: Bool {
        switch request {
        case .write(_, let force), .writeZeroes(_, let force): force
        case .read, .discard, .flush: false
        }
    }

    /// The client's sectors laid over the blocks that were read.
    func merged(over blocks: SimulatedData) -> SimulatedData {
        var whole = blocks
        for (offset, sector) in blockSectors.enumerated() {
            if let mine = sectors.firstIndex(of: sector) { whole[offset] = content[mine] }
        }
        return whole
    }
}

/// Clients: requests of every kind at the owners' nodes, and the end of the story.
struct Workload {
    private let operations: Int
    private var submitted = 0
    private var writes = 0
    var underWay = 0
    var isOver = false

    init(operations: Int) { self.operations = operations }

    var isFaultPhaseOver: Bool { submitted >= operations }

    /// Makes the next request for a session.
    mutating func next(for session: Int, readsOnly: Bool, _ world: World) -> ClientOperation {
        submitted += 1
        let kind = readsOnly ? 20 : world.random.below(100)
        if kind < 9 { return operation(.flush, sectors: [], session, world) }
        let region = UInt64(world.random.below(Shape.regions))
        let base = region * Geometry.regionBytes
        if kind < 18 {
            let last = min(UInt64(Shape.regions) - 1, region + UInt64(world.random.below(2)))
            let end = last * Geometry.regionBytes + UInt64(1 + world.random.below(Shape.blocksPerRegion)) * Geometry.blockBytes
            let start = base + UInt64(world.random.below(Shape.blocksPerRegion)) * Geometry.blockBytes
            guard end > start else { return operation(.flush, sectors: [], session, world) }
            let range = ByteRange(offset: start, length: end - start)
            let request: ClientRequest =
                kind < 14 ? .discard(range) : .writeZeroes(range, forceUnitAccess: world.random.chance(20))
            return operation(request, sectors: Shape.sectors(in: range), session, world)
        }
        let isWhole = world.random.chance(60)
        let unit = isWhole ? Shape.sectorsPerBlock : 1
        let units = Shape.sectorsPerRegion / unit
        let first = world.random.below(units)
        let count = 1 + world.random.below(min(units - first, isWhole ? 3 : 12))
        let range = ByteRange(
            offset: base + UInt64(first * unit) * Geometry.sectorBytes,
            length: UInt64(count * unit) * Geometry.sectorBytes)
        let request: ClientRequest =
            kind < 58 ? .read(range) : .write(range, forceUnitAccess: world.random.chance(10))
        return operation(request, sectors: Shape.sectors(in: range), session, world)
    }

    private mutating func operation(
        _ request: ClientRequest, sectors: [Int], _ session: Int, _ world: World
    ) -> ClientOperation {
        writes += 1
        underWay += 1
        var content: SimulatedData = []
        var blocks = sectors
        switch request {
        case .write(let range, _):
            content = SimulatedData(repeating: SectorValue(writes), count: sectors.count)
            blocks = Shape.sectors(in: range.blockAligned)
            world.oracle.submitted(writes, SectorValue(writes), at: sectors, session: session, now: world.now)
        case .read(let range): blocks = Shape.sectors(in: range.blockAligned)
        case .discard, .writeZeroes:
            world.oracle.submitted(writes, 0, at: sectors, session: session, now: world.now)
        case .flush: break
        }
        world.note(
            "\(name(of: request)) \(writes) of session \(session) asked for"
                + (sectors.isEmpty ? "" : ", sectors \(sectors.first!) to \(sectors.last!)"))
        return ClientOperation(
            number: writes, request: request, sectors: sectors, content: content,
            blockSectors: blocks, askedAt: world.now, session: session)
    }

    private func name(of request: ClientRequest) -> String {
        switch request {
        case .read: "read"
        case .write: "write"
        case .discard: "discard"
        case .writeZeroes: "write of zeros"
        case .flush: "flush"
        }
    }

    /// A request that reads everything, region by region.
    mutating func readBack(region: Int, session: Int, _ world: World) -> ClientOperation {
        let range = ByteRange(
            offset: UInt64(region) * Geometry.regionBytes,
            length: UInt64(Shape.blocksPerRegion) * Geometry.blockBytes)
        return operation(.read(range), sectors: Shape.sectors(in: range), session, world)
    }

    mutating func flush(session: Int, _ world: World) -> ClientOperation {
        operation(.flush, sectors: [], session, world)
    }

    // MARK: Ends

    mutating func abandoned(_ operation: ClientOperation, _ world: World) {
        underWay -= 1
        if !operation.isRead && !operation.isFlush {
            world.oracle.abandoned(operation.number, at: operation.sectors, now: world.now)
        }
    }

    mutating func completed(
        _ operation: ClientOperation, _ status: ClientStatus, _ data: SimulatedData,
        _ owner: OwnerHost, _ world: World
    ) {
        guard status == .ok else {
            abandoned(operation, world)
            return
        }
        underWay -= 1
        switch operation.request {
        case .read:
            world.counts.reads += 1
            world.note("read \(operation.number) of session \(operation.session) sees \(data)")
            check(operation, data, world)
        case .flush:
            world.counts.flushes += 1
            world.note("flush \(operation.number) of session \(operation.session) acknowledged")
            world.oracle.flushed(askedAt: operation.askedAt)
            world.sensitive("a flush is acknowledged")
        case .write, .discard, .writeZeroes:
            world.counts.acknowledgedWrites += 1
            world.note("write \(operation.number) of session \(operation.session) acknowledged")
            world.oracle.acknowledged(operation.number, at: operation.sectors, now: world.now)
            if operation.forcesUnitAccess { world.oracle.durable(operation.number, at: operation.sectors) }
            world.checkAcknowledged(operation, owner)
            world.sensitive("a write is acknowledged")
        }
    }

    private func check(_ operation: ClientOperation, _ data: SimulatedData, _ world: World) {
        for (offset, sector) in operation.blockSectors.enumerated() where operation.sectors.contains(sector) {
            if let wrong = world.oracle.read(data[offset], at: sector, askedAt: operation.askedAt, now: world.now) {
                world.fail("read \(operation.number) of session \(operation.session), sector \(sector): \(wrong)")
                return
            }
        }
    }
}
