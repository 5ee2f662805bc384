import EngineCommands
import Replication
import Units
import WireFormat

/// Performing what replicas decide.
extension Loop {
    @inline(__always)
    mutating func markReplica(_ number: Int) {
        let host = replicas[number]
        if host.pointee.isDirty { return }
        host.pointee.isDirty = true
        dirtyReplicas.append(number)
    }

    /// Gives a request to its replica, and performs what that decides at once: a slot that is
    /// free again may be the next request's.
    mutating func deliver(
        _ request: ReplicaRequest, to number: Int, on link: LinkID, _ buffer: ReplicaBuffer,
        checksums: UnsafeRawPointer?
    ) {
        let host = replicas[number]
        if let promised = host.pointee.machine?.pointee.state.promised, request.epoch < promised {
            noteOldOwner(request, link, host, promised: promised)
        }
        guard let machine = host.pointee.machine,
            let slot = machine.pointee.received(request, on: link, now: now)
        else {
            if !buffer.memory.isNone { memory.release(buffer.memory) }
            drainReplica(number)
            return
        }
        let context = host.pointee.slots.unsafelyUnwrapped + Int(slot)
        // Of an operation that ended without an answer, since its link was gone.
        if !context.pointee.buffer.memory.isNone { memory.release(context.pointee.buffer.memory) }
        context.pointee = ReplicaSlotContext(
            buffer: buffer, kind: request.kind, range: request.range)
        if let checksums {
            host.pointee.row(of: slot).copyMemory(
                from: checksums,
                byteCount: BlockChecksums.byteCount(dataBytes: Int(request.range.length)))
        }
        drainReplica(number)
    }

    mutating func drainReplica(_ number: Int) {
        let host = replicas[number]
        guard let machine = host.pointee.machine else { return }
        while let action = machine.pointee.actions.next() {
            switch action {
            case .perform(let slot): perform(slot, number, host)
            case .reply(let link, let reply, let slot): answer(link, reply, slot, number, host)
            case .writePage(let page): writeRegionPage(page, number, host)
            case .writeState(let state): writeState(state, number, host)
            case .answerHello(let link): answerHello(number, link)
            case .closeLink(let link): closeReplicaLink(number, link)
            case .wake(let instant): wakeReplica(number, at: instant)
            }
        }
        if machine.pointee.isFaulty && host.pointee.state == .open { replicaFailed(number) }
    }

    // MARK: Time

    private mutating func wakeReplica(_ number: Int, at instant: Instant) {
        let host = replicas[number]
        if instant >= host.pointee.wakesAt { return }
        host.pointee.wakesAt = instant
        timers.add(
            Timer(
                instant: instant, kind: .replica, index: Int32(number),
                generation: replicas.generation(number)))
    }

    mutating func replicaTimer(_ number: Int, _ timer: Timer) {
        guard let host = replicas.find(number, generation: timer.generation),
            host.pointee.wakesAt == timer.instant
        else { return }
        host.pointee.wakesAt = .distantFuture
        host.pointee.machine?.pointee.tick(now: now)
        markReplica(number)
    }

    // MARK: Answers

    private mutating func answer(
        _ id: LinkID, _ reply: ReplicaReply, _ slot: ReplicaSlot?, _ number: Int,
        _ host: UnsafeMutablePointer<ReplicaHost>
    ) {
        var context = ReplicaSlotContext()
        if let slot {
            context = host.pointee.slots.unsafelyUnwrapped[Int(slot)]
            host.pointee.slots.unsafelyUnwrapped[Int(slot)].buffer = ReplicaBuffer()
        }
        guard let link = host.pointee.link(id) else {
            if !context.buffer.memory.isNone { memory.release(context.buffer.memory) }
            return
        }
        if link.isLocal {
            answerHere(link, reply, context)
        } else {
            send(reply, context, slot, on: link.number, host)
        }
    }

    private mutating func answerHere(
        _ link: ReplicaLink, _ reply: ReplicaReply, _ context: ReplicaSlotContext
    ) {
        if reply.kind == .list && reply.status == .ok, let address = context.buffer.address {
            let entries = address.bindMemory(to: RegionEntry.self, capacity: RegionEntry.pageMax)
            listed(
                link.number, link.peer, reply,
                UnsafeBufferPointer(start: entries, count: context.entryCount))
        } else {
            replied(link.number, link.peer, reply)
        }
        if !context.buffer.memory.isNone { memory.release(context.buffer.memory) }
    }

    private mutating func send(
        _ reply: ReplicaReply, _ context: ReplicaSlotContext, _ slot: ReplicaSlot?, on index: Int,
        _ host: UnsafeMutablePointer<ReplicaHost>
    ) {
        let connection = connections[index]
        let volume = host.pointee.local.volume
        let version = connection.pointee.version
        markDirty(index)
        let isRead = reply.kind == .read && reply.status == .ok
        let isList = reply.kind == .list && reply.status == .ok && context.entryCount > 0
        if isRead, let slot {
            let length = Int(context.range.length)
            let row = BlockChecksums.byteCount(dataBytes: length)
            let bytes = connection.pointee.output.append(FrameHeader.byteCount + row)
            _ = reply.encode(volume: volume, version: version, range: context.range, to: bytes)
            (bytes + FrameHeader.byteCount).copyMemory(
                from: host.pointee.row(of: slot), byteCount: row)
            connection.pointee.output.append(
                context.buffer.address!, length, memory: context.buffer.memory)
            return
        }
        if reply.kind == .list && reply.status == .ok {
            let bytes = connection.pointee.output.append(
                FrameHeader.byteCount + RegionEntries.headBytes)
            _ = reply.encode(
                volume: volume, version: version, entries: context.entryCount, to: bytes)
            let address = context.buffer.address!
            RegionEntries.encode(
                UnsafeBufferPointer(
                    start: address.bindMemory(to: RegionEntry.self, capacity: RegionEntry.pageMax),
                    count: context.entryCount),
                payload: address, prefix: bytes + FrameHeader.byteCount)
            if isList {
                connection.pointee.output.append(
                    address, context.entryCount * RegionEntries.entryBytes,
                    memory: context.buffer.memory)
                return
            }
        } else {
            connection.pointee.append(FrameHeader.byteCount + HoldingBody.byteCount) {
                reply.encode(volume: volume, version: version, to: $0)
            }
        }
        if !context.buffer.memory.isNone { memory.release(context.buffer.memory) }
    }

    // MARK: Trouble

    /// The owner of an epoch that has passed asks for something: control hears of it once a link.
    private mutating func noteOldOwner(
        _ request: ReplicaRequest, _ id: LinkID, _ host: UnsafeMutablePointer<ReplicaHost>,
        promised: Epoch
    ) {
        for place in host.pointee.links.indices
        where host.pointee.links[place].link == id && !host.pointee.links[place].isReported {
            host.pointee.links[place].isReported = true
            report(
                .oldOwnerRefused(
                    host.pointee.local.volume, host.pointee.local.replica, epoch: request.epoch,
                    promised: promised))
        }
    }

    /// The machine serves nothing any more: owners hear of it, and nobody may find it whole again
    /// in this boot.
    private mutating func replicaFailed(_ number: Int) {
        let host = replicas[number]
        host.pointee.state = .failed
        let local = host.pointee.local
        report(.replicaFailed(local.volume, local.replica, "a write or a sync of the drive failed"))
        writeFarewell(number, host)
    }

    func releaseBufferOf(_ context: UnsafeMutablePointer<ReplicaSlotContext>) -> MemoryID {
        defer { context.pointee.buffer = ReplicaBuffer() }
        return context.pointee.buffer.memory
    }

    /// Gives back what a slot still holds.
    mutating func releaseBuffer(_ host: UnsafeMutablePointer<ReplicaHost>, _ slot: ReplicaSlot) {
        guard let slots = host.pointee.slots else { return }
        let held = releaseBufferOf(slots + Int(slot))
        if !held.isNone { memory.release(held) }
    }
}
