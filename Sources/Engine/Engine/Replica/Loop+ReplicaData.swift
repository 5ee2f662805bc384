import DriveStore
import EngineCommands
import Glibc
import Replication
import Ring
import Units
import WireFormat

/// Requests on a replica's data, and the checksums that go with them.
extension Loop {
    /// FALLOC_FL_PUNCH_HOLE and FALLOC_FL_KEEP_SIZE (include/uapi/linux/falloc.h).
    private static let punchHole: Int32 = 2 | 1

    @inline(__always)
    func tag(_ kind: OperationKind, _ number: Int, _ part: Int) -> OperationTag {
        OperationTag(kind, number << 16 | part, generation: replicas.generation(number))
    }

    mutating func perform(
        _ slot: ReplicaSlot, _ number: Int, _ host: UnsafeMutablePointer<ReplicaHost>
    ) {
        let machine = host.pointee.machine.unsafelyUnwrapped
        let request = machine.pointee.request(in: slot)
        let context = host.pointee.slots.unsafelyUnwrapped + Int(slot)
        let file = host.pointee.files.unsafelyUnwrapped.pointee.data
        let length = Int(request.range.length)
        context.pointee.step = .data
        switch request.kind {
        case .list: return list(request, slot, number, host)
        case .flush:
            host.pointee.operationsUnderWay += 1
            ring.sync(file, dataOnly: true, tag: tag(.replicaData, number, Int(slot)))
            return
        case .read:
            let buffer = context.pointee.buffer
            ring.read(
                file, into: buffer.address!, length: length, at: request.range.offset,
                area: memory.area(buffer.memory), tag: tag(.replicaData, number, Int(slot)))
        case .write:
            let buffer = context.pointee.buffer
            ring.write(
                file, from: buffer.address!, length: length, at: request.range.offset,
                durably: request.forceUnitAccess, area: memory.area(buffer.memory),
                tag: tag(.replicaData, number, Int(slot)))
        case .discard, .writeZeroes:
            ring.allocate(
                file, mode: Self.punchHole, offset: request.range.offset,
                length: request.range.length, tag: tag(.replicaData, number, Int(slot)))
        case .promise, .lease, .giveLeaseBack, .checkpoint, .whole:
            trap("a \(request.kind) is not performed")
        }
        host.pointee.operationsUnderWay += 1
        // Its page of checksums is read meanwhile.
        _ = prepare(request.kind, request.range, number, host)
    }

    private mutating func list(
        _ request: ReplicaRequest, _ slot: ReplicaSlot, _ number: Int,
        _ host: UnsafeMutablePointer<ReplicaHost>
    ) {
        let machine = host.pointee.machine.unsafelyUnwrapped
        let context = host.pointee.slots.unsafelyUnwrapped + Int(slot)
        let entries = UnsafeMutableBufferPointer(
            start: context.pointee.buffer.address!.bindMemory(
                to: RegionEntry.self, capacity: RegionEntry.pageMax),
            count: RegionEntry.pageMax)
        let (count, next) = machine.pointee.map.list(
            above: request.stamp, from: request.range.offset, into: entries)
        context.pointee.entryCount = count
        machine.pointee.performed(slot, .ok, nextRegion: next, now: now)
    }

    // MARK: Ends

    /// An operation on the data has ended.
    mutating func dataDone(_ index: Int, _ result: Int32) {
        let number = index >> 16
        let slot = ReplicaSlot(index & 0xFFFF)
        let host = replicas[number]
        host.pointee.operationsUnderWay -= 1
        let request = host.pointee.machine.unsafelyUnwrapped.pointee.request(in: slot)
        let status = Self.status(of: request, result)
        if status != .ok {
            noteFailure(request, result, host)
            return performed(slot, status, number, host)
        }
        let isHole = request.kind == .discard || request.kind == .writeZeroes
        if isHole && request.forceUnitAccess {
            host.pointee.slots.unsafelyUnwrapped[Int(slot)].step = .sync
            host.pointee.operationsUnderWay += 1
            ring.sync(
                host.pointee.files!.pointee.data, dataOnly: true,
                tag: tag(.replicaSync, number, Int(slot)))
            return
        }
        finishData(slot, number, host)
    }

    /// The sync behind a hole that has to be durable has ended.
    mutating func syncDone(_ index: Int, _ result: Int32) {
        let number = index >> 16
        let slot = ReplicaSlot(index & 0xFFFF)
        let host = replicas[number]
        host.pointee.operationsUnderWay -= 1
        if result < 0 {
            performed(slot, .ioError, number, host)
        } else {
            finishData(slot, number, host)
        }
    }

    private static func status(of request: ReplicaRequest, _ result: Int32) -> ReplyStatus {
        if result == -ENOSPC || result == -EDQUOT || result == -EFBIG { return .noSpace }
        if result < 0 { return .ioError }
        switch request.kind {
        // A short write: there was room for a part only.
        case .write: return UInt64(result) == request.range.length ? .ok : .noSpace
        case .read: return UInt64(result) == request.range.length ? .ok : .ioError
        default: return .ok
        }
    }

    @inline(never)
    private func noteFailure(
        _ request: ReplicaRequest, _ result: Int32, _ host: UnsafeMutablePointer<ReplicaHost>
    ) {
        let cause = result < 0 ? errnoText(-result) : "only \(result) bytes"
        let place = "\(host.pointee.local.directory) at \(request.range.offset)"
        log("\(request.kind) of \(place): \(cause)")
    }

    /// Checks or records checksums, then ends the operation; later, if their page is being read.
    private mutating func finishData(
        _ slot: ReplicaSlot, _ number: Int, _ host: UnsafeMutablePointer<ReplicaHost>
    ) {
        let context = host.pointee.slots.unsafelyUnwrapped + Int(slot)
        let kind = context.pointee.kind
        let range = context.pointee.range
        if kind == .flush { return performed(slot, .ok, number, host) }
        switch prepare(kind, range, number, host) {
        case .ready: break
        case .isComing:
            context.pointee.step = .checksums
            return
        case .failed: return performed(slot, .ioError, number, host)
        }
        let table = host.pointee.table.unsafelyUnwrapped
        let row = host.pointee.row(of: slot)
        var status = ReplyStatus.ok
        switch kind {
        case .read:
            BlockChecksums.compute(
                UnsafeRawBufferPointer(
                    start: context.pointee.buffer.address, count: Int(range.length)), into: row)
            if let offset = table.pointee.verify(range, row) {
                status = .badChecksum
                let local = host.pointee.local
                report(.checksumMismatch(local.volume, local.replica, offset: offset))
            }
        case .write:
            table.pointee.set(range, row)
            writeChecksumsIfMany(number, host)
        default: table.pointee.clear(range)
        }
        performed(slot, status, number, host)
    }

    private mutating func performed(
        _ slot: ReplicaSlot, _ status: ReplyStatus, _ number: Int,
        _ host: UnsafeMutablePointer<ReplicaHost>
    ) {
        let context = host.pointee.slots.unsafelyUnwrapped + Int(slot)
        context.pointee.step = .idle
        // Whatever failed of a change, what is there now is not known.
        if status != .ok && context.pointee.kind.changesData {
            host.pointee.table!.pointee.forget(context.pointee.range)
        }
        host.pointee.machine.unsafelyUnwrapped.pointee.performed(slot, status, now: now)
        drainReplica(number)
        // Where the link was gone there was no answer that took it.
        if host.pointee.machine != nil && isIdle(slot, host) { releaseBuffer(host, slot) }
        if host.pointee.links.isEmpty { closeIfIdle(number) }
    }

    private func isIdle(_ slot: ReplicaSlot, _ host: UnsafeMutablePointer<ReplicaHost>) -> Bool {
        host.pointee.slots.unsafelyUnwrapped[Int(slot)].step == .idle
    }

    // MARK: Pages of checksums

    /// Whether the checksums of a range are at hand, or their page is being read.
    enum Preparation { case ready, isComing, failed }

    mutating func prepare(
        _ kind: RequestKind, _ range: ByteRange, _ number: Int,
        _ host: UnsafeMutablePointer<ReplicaHost>
    ) -> Preparation {
        let table = host.pointee.table.unsafelyUnwrapped
        let isHole = kind == .discard || kind == .writeZeroes
        switch isHole ? table.pointee.prepareClear(range) : table.pointee.prepare(range) {
        case .ready: return .ready
        case .loading: return .isComing
        case .load(let page): return loadChecksums(page, number, host) ? .isComing : .failed
        }
    }

    private mutating func loadChecksums(
        _ page: Int, _ number: Int, _ host: UnsafeMutablePointer<ReplicaHost>
    ) -> Bool {
        let byteCount = Int(Geometry.blockBytes)
        let buffer = memory.acquire(byteCount, for: .metadata)
        if buffer.isNone {
            // Thousands of pages are on their way: as when the drive fails.
            host.pointee.table!.pointee.loadFailed(page: page)
            return false
        }
        let staging = host.pointee.stagings.insert(.init(memory: buffer, page: page))
        host.pointee.operationsUnderWay += 1
        ring.read(
            host.pointee.files!.pointee.checksums, into: memory.bytes(buffer), length: byteCount,
            at: UInt64(page) * UInt64(byteCount), area: memory.area(buffer),
            tag: tag(.checksumPage, number, staging))
        return true
    }

    /// A page of checksums was read.
    mutating func checksumsLoaded(
        _ staging: StagingTable.Staging, _ result: Int32, _ number: Int,
        _ host: UnsafeMutablePointer<ReplicaHost>
    ) {
        let isLoaded = result == Int32(Geometry.blockBytes)
        if isLoaded {
            host.pointee.table!.pointee.loaded(page: staging.page, memory.bytes(staging.memory))
        } else {
            log("checksums of \(host.pointee.local.directory): \(errnoText(-result))")
            host.pointee.table!.pointee.loadFailed(page: staging.page)
        }
        for slot in 0..<ReplicationLimits.replicaOperationsMax {
            guard let slots = host.pointee.slots, slots[slot].step == .checksums else { continue }
            if isLoaded {
                finishData(ReplicaSlot(slot), number, host)
            } else {
                performed(ReplicaSlot(slot), .ioError, number, host)
            }
        }
        if host.pointee.fill.awaitsPage { regionWasRead(number, host) }
    }
}
