import DriveStore
import EngineCommands
import Glibc
import Replication
import Ring
import Units

/// What a replica keeps beside its data: pages of the region map, pages of checksums, and its
/// state, which follows the checksums that it vouches for.
///
///     writeState ──(new checkpoint)──▶ checksums ──▶ checksumSync ──▶ slot ──▶ stateWritten
///          └───────(no new one)──────────────────────────────────────▲
extension Loop {
    // MARK: Region map

    /// Writes a page of the map as it is now, from a copy: the map goes on changing.
    mutating func writeRegionPage(
        _ page: Int, _ number: Int, _ host: UnsafeMutablePointer<ReplicaHost>
    ) {
        let buffer = memory.acquire(Int(Geometry.blockBytes), for: .metadata)
        if buffer.isNone {
            host.pointee.machine!.pointee.pageWritten(page, isDurable: false, now: now)
            return
        }
        let files = host.pointee.files.unsafelyUnwrapped
        let offset = files.pointee.encodeRegions(
            page: page, of: host.pointee.machine.unsafelyUnwrapped.pointee.map,
            to: memory.bytes(buffer))
        let staging = host.pointee.stagings.insert(.init(memory: buffer, page: page))
        host.pointee.operationsUnderWay += 1
        ring.write(
            files.pointee.regions, from: memory.bytes(buffer), length: Int(Geometry.blockBytes),
            at: offset, durably: true, area: memory.area(buffer),
            tag: tag(.regionPage, number, staging))
    }

    mutating func regionPageDone(_ index: Int, _ result: Int32) {
        let number = index >> 16
        let host = replicas[number]
        let staging = ended(index, host)
        let isDurable = result == Int32(Geometry.blockBytes)
        if !isDurable { noteFailure("the region map", result, host) }
        host.pointee.machine!.pointee.pageWritten(staging.page, isDurable: isDurable, now: now)
        drainReplica(number)
        closeIfUnused(number)
    }

    /// Takes an operation's staging back and releases its memory.
    private mutating func ended(
        _ index: Int, _ host: UnsafeMutablePointer<ReplicaHost>
    ) -> StagingTable.Staging {
        host.pointee.operationsUnderWay -= 1
        let staging = host.pointee.stagings.remove(index & 0xFFFF)
        memory.release(staging.memory)
        return staging
    }

    @inline(never)
    private func noteFailure(
        _ what: String, _ result: Int32, _ host: UnsafeMutablePointer<ReplicaHost>
    ) {
        let cause = result < 0 ? errnoText(-result) : "a short write"
        log("\(what) of \(host.pointee.local.directory): \(cause)")
    }

    private mutating func closeIfUnused(_ number: Int) {
        if replicas[number].pointee.links.isEmpty { closeIfIdle(number) }
    }

    // MARK: State

    mutating func writeState(
        _ state: ReplicaState, _ number: Int, _ host: UnsafeMutablePointer<ReplicaHost>
    ) {
        let machine = host.pointee.machine.unsafelyUnwrapped
        let isNewCheckpoint = state.checkpoint > machine.pointee.durable.checkpoint
        if host.pointee.stateWrite.step != .idle {
            // Checksums are on their way on their own: the state follows them. What became dirty
            // behind their pass may be the checkpoint's, so that it needs a pass of its own.
            host.pointee.stateWrite.awaited = state
            return
        }
        host.pointee.stateWrite = StateWrite()
        host.pointee.stateWrite.wanted = state
        if isNewCheckpoint { writeChecksums(number, host) } else { writeSlot(number, host) }
    }

    /// The next dirty pages of checksums, as many as may be under way; then their sync.
    private mutating func writeChecksums(
        _ number: Int, _ host: UnsafeMutablePointer<ReplicaHost>
    ) {
        host.pointee.stateWrite.step = .checksums
        let table = host.pointee.table.unsafelyUnwrapped
        let room = EngineLimits.checksumPagesPerWrite
        while host.pointee.stateWrite.pagesUnderWay < EngineLimits.pageWritesMax,
            !host.pointee.stateWrite.hasFailed
        {
            let buffer = memory.acquire(room * Int(Geometry.blockBytes), for: .metadata)
            if buffer.isNone { break }
            guard
                let run = table.pointee.beginWriting(
                    from: host.pointee.stateWrite.nextPage, to: memory.bytes(buffer), room: room)
            else {
                memory.release(buffer)
                host.pointee.stateWrite.nextPage = table.pointee.pageCount
                break
            }
            host.pointee.stateWrite.nextPage = run.next
            host.pointee.stateWrite.pagesUnderWay += 1
            host.pointee.operationsUnderWay += 1
            let staging = host.pointee.stagings.insert(.init(memory: buffer, run: run))
            ring.write(
                host.pointee.files!.pointee.checksums, from: memory.bytes(buffer),
                length: run.byteCount, at: run.offset, area: memory.area(buffer),
                tag: tag(.checksumPage, number, staging))
        }
        if host.pointee.stateWrite.pagesUnderWay > 0 { return }
        // No memory for a single page, or one failed: the checksums stay as they are.
        let isComplete = host.pointee.stateWrite.nextPage >= table.pointee.pageCount
        if !isComplete || host.pointee.stateWrite.hasFailed {
            return checksumsAreWritten(false, number)
        }
        host.pointee.stateWrite.step = .checksumSync
        host.pointee.operationsUnderWay += 1
        ring.sync(
            host.pointee.files!.pointee.checksums, dataOnly: true,
            tag: tag(.checksumSync, number, 0))
    }

    mutating func checksumPageDone(_ index: Int, _ result: Int32) {
        let number = index >> 16
        let host = replicas[number]
        let staging = host.pointee.stagings.items[index & 0xFFFF]
        if staging.run == nil {
            host.pointee.operationsUnderWay -= 1
            _ = host.pointee.stagings.remove(index & 0xFFFF)
            checksumsLoaded(staging, result, number, host)
            memory.release(staging.memory)
            return closeIfUnused(number)
        }
        _ = ended(index, host)
        guard let run = staging.run else { trap("a write of no page") }
        let isWritten = Int(result) == run.byteCount
        if !isWritten { noteFailure("the checksums", result, host) }
        host.pointee.table!.pointee.finishedWriting(run, succeeded: isWritten)
        host.pointee.stateWrite.pagesUnderWay -= 1
        if !isWritten { host.pointee.stateWrite.hasFailed = true }
        writeChecksums(number, host)
        closeIfUnused(number)
    }

    mutating func checksumSyncDone(_ index: Int, _ result: Int32) {
        let number = index >> 16
        let host = replicas[number]
        host.pointee.operationsUnderWay -= 1
        if result < 0 { noteFailure("the checksums", result, host) }
        checksumsAreWritten(result >= 0, number)
        closeIfUnused(number)
    }

    /// The state counts without them, too: they are computed anew when the replica is opened.
    private mutating func checksumsAreWritten(_ isDurable: Bool, _ number: Int) {
        let host = replicas[number]
        host.pointee.table!.pointee.trim()
        if host.pointee.stateWrite.isChecksumsOnly {
            let awaited = host.pointee.stateWrite.awaited
            host.pointee.stateWrite = StateWrite()
            if let awaited { writeState(awaited, number, host) }
            return
        }
        let checkpoint = host.pointee.stateWrite.wanted.checkpoint
        let isTrue = host.pointee.table!.pointee.vouches(
            upTo: checkpoint, in: host.pointee.machine!.pointee.map)
        if isDurable && isTrue { host.pointee.stateWrite.checksummed = checkpoint }
        writeSlot(number, host)
    }

    private mutating func writeSlot(_ number: Int, _ host: UnsafeMutablePointer<ReplicaHost>) {
        let buffer = memory.acquire(Int(Geometry.blockBytes), for: .metadata)
        if buffer.isNone { return slotIsWritten(false, number, host) }
        let files = host.pointee.files.unsafelyUnwrapped
        let offset = files.pointee.encodeState(
            host.pointee.stateWrite.wanted, checksummed: host.pointee.stateWrite.checksummed,
            to: memory.bytes(buffer))
        let staging = host.pointee.stagings.insert(.init(memory: buffer))
        host.pointee.stateWrite.step = .slot
        host.pointee.operationsUnderWay += 1
        ring.write(
            files.pointee.state, from: memory.bytes(buffer), length: Int(Geometry.blockBytes),
            at: offset, durably: true, area: memory.area(buffer),
            tag: tag(.stateSlot, number, staging))
    }

    mutating func stateSlotDone(_ index: Int, _ result: Int32) {
        let number = index >> 16
        let host = replicas[number]
        _ = ended(index, host)
        let isDurable = result == Int32(Geometry.blockBytes)
        if !isDurable { noteFailure("the state", result, host) }
        slotIsWritten(isDurable, number, host)
        drainReplica(number)
        closeIfUnused(number)
    }

    private mutating func slotIsWritten(
        _ isDurable: Bool, _ number: Int, _ host: UnsafeMutablePointer<ReplicaHost>
    ) {
        let written = host.pointee.stateWrite
        host.pointee.stateWrite = StateWrite()
        if written.isFarewell { return }
        if !written.isOwn {
            host.pointee.machine!.pointee.stateWritten(
                written.wanted, isDurable: isDurable, now: now)
        }
        if let awaited = written.awaited { writeState(awaited, number, host) }
        if host.pointee.state == .failed { return writeFarewell(number, host) }
        if isDurable && !written.isOwn { fillChecksums(number) }
    }

    /// Every checksum up to the durable checkpoint is known: the state is to say so.
    mutating func vouchForChecksums(_ number: Int, _ host: UnsafeMutablePointer<ReplicaHost>) {
        guard host.pointee.stateWrite.step == .idle else { return }
        host.pointee.stateWrite.wanted = host.pointee.machine!.pointee.durable
        host.pointee.stateWrite.isOwn = true
        writeChecksums(number, host)
    }

    /// A replica that has failed may have lost writes: it must not be found whole again.
    mutating func writeFarewell(_ number: Int, _ host: UnsafeMutablePointer<ReplicaHost>) {
        guard host.pointee.stateWrite.step == .idle, let machine = host.pointee.machine
        else { return }
        var state = machine.pointee.durable
        state.wholeBoot = .zero
        if state == machine.pointee.durable { return }
        host.pointee.stateWrite.wanted = state
        host.pointee.stateWrite.isFarewell = true
        writeSlot(number, host)
    }

    // MARK: Many dirty checksums

    /// Writes checksums between checkpoints, so that the next one has few to wait for.
    mutating func writeChecksumsIfMany(_ number: Int, _ host: UnsafeMutablePointer<ReplicaHost>) {
        let dirtyPages = host.pointee.table.unsafelyUnwrapped.pointee.dirtyPages
        guard dirtyPages > EngineLimits.dirtyChecksumPagesMax,
            host.pointee.stateWrite.step == .idle, host.pointee.state == .open
        else { return }
        host.pointee.stateWrite.isChecksumsOnly = true
        writeChecksums(number, host)
    }
}
