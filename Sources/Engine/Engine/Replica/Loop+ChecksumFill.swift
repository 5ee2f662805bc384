import DriveStore
import Glibc
import Replication
import Ring
import Units
import WireFormat

/// Checksums that a crash has left unknown: computed in the background, a region at a time, so
/// that the sidecar can be vouched for again. Until then those blocks are read unchecked.
extension Loop {
    /// Begins with the next region up to the checkpoint, or ends by vouching for all of them.
    mutating func fillChecksums(_ number: Int) {
        let host = replicas[number]
        guard host.pointee.state == .open, !host.pointee.fill.isActive,
            let machine = host.pointee.machine, let table = host.pointee.table,
            let files = host.pointee.files
        else { return }
        let checkpoint = machine.pointee.durable.checkpoint
        if files.pointee.slot.checksummed >= checkpoint { return }
        guard
            let region = table.pointee.firstUnknownRegion(
                upTo: checkpoint, in: machine.pointee.map)
        else { return vouchForChecksums(number, host) }
        let buffer = memory.acquire(Int(Geometry.regionBytes), for: .metadata)
        // Many replicas are at it: the next checkpoint tries again.
        if buffer.isNone { return }
        host.pointee.fill.memory = buffer
        host.pointee.fill.range = ByteRange(
            offset: region * Geometry.regionBytes, length: table.pointee.regionBytes(region))
        host.pointee.operationsUnderWay += 1
        ring.read(
            files.pointee.data, into: memory.bytes(buffer),
            length: Int(host.pointee.fill.range.length), at: host.pointee.fill.range.offset,
            area: memory.area(buffer), tag: tag(.checksumFill, number, 0))
    }

    @inline(never)
    mutating func checksumFillRead(_ index: Int, _ result: Int32) {
        let number = index >> 16
        let host = replicas[number]
        host.pointee.operationsUnderWay -= 1
        if Int(result) == Int(host.pointee.fill.range.length) {
            regionWasRead(number, host)
        } else {
            let cause = result < 0 ? errnoText(-result) : "a short read"
            log("reading \(host.pointee.local.directory) for its checksums: \(cause)")
            endFill(host)
        }
        if host.pointee.links.isEmpty { closeIfIdle(number) }
    }

    /// The region is in memory: its checksums are filled in where they are still unknown.
    mutating func regionWasRead(_ number: Int, _ host: UnsafeMutablePointer<ReplicaHost>) {
        let range = host.pointee.fill.range
        switch prepare(.read, range, number, host) {
        case .isComing:
            host.pointee.fill.awaitsPage = true
            return
        case .failed: return endFill(host)
        case .ready: break
        }
        let data = UnsafeRawBufferPointer(
            start: memory.bytes(host.pointee.fill.memory), count: Int(range.length))
        withUnsafeTemporaryAllocation(byteCount: WireLimits.checksumBytesMax, alignment: 8) { row in
            BlockChecksums.compute(data, into: row.baseAddress!)
            host.pointee.table.unsafelyUnwrapped.pointee.fill(range, row.baseAddress!)
        }
        endFill(host)
        // A replica that nobody uses is not kept open for it.
        if !host.pointee.links.isEmpty { fillChecksums(number) }
    }

    private mutating func endFill(_ host: UnsafeMutablePointer<ReplicaHost>) {
        memory.release(host.pointee.fill.memory)
        host.pointee.fill = ChecksumFill()
    }
}
