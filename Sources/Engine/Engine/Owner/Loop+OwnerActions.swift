import EngineCommands
import Records
import Replication
import Units
import WireFormat

/// Performing what owners decide.
extension Loop {
    @inline(__always)
    mutating func markVolume(_ index: Int) {
        let host = volumes[index]
        if host.pointee.isDirty { return }
        host.pointee.isDirty = true
        dirtyVolumes.append(index)
    }

    /// Performs the owner's actions and offers it the requests that wait, until neither is left.
    mutating func drainVolume(_ index: Int) {
        let host = volumes[index]
        while let machine = host.pointee.machine {
            while let action = machine.pointee.actions.next() {
                perform(action, index, machine)
                // The last of all actions: the machine is gone.
                if host.pointee.machine == nil { break }
            }
            // Only now may requests be offered: a slot's release comes before its next use.
            if host.pointee.machine == nil || !offerNext(index) { break }
        }
        if host.pointee.machine == nil { failIfDeposed(index) }
        removeIfUnused(index)
    }

    private mutating func perform(
        _ action: OwnerAction, _ index: Int, _ machine: UnsafeMutablePointer<OwnerMachine>
    ) {
        let host = volumes[index]
        switch action {
        case .send(let peer, let request, let slot): send(request, from: index, to: peer, slot)
        case .release(let slot): release(slot, of: index)
        case .complete(let token, let status, _): pieceDone(Int(token), status)
        case .merge(let slot):
            merge(slot, of: index)
            machine.pointee.merged(slot, now: now)
        case .openLink(let peer): openLink(index, peer)
        case .closeLink(let peer): closeLink(index, peer)
        case .wake(let instant): wakeVolume(index, at: instant)
        case .notify(let notice): notify(index, notice)
        case .changeConfiguration:
            report(
                .changeConfiguration(
                    host.pointee.id, instance: host.pointee.instance, machine.pointee.change!))
        case .ended(let reason): sessionEnded(index, reason)
        }
    }

    private mutating func release(_ slot: OwnerSlot, of index: Int) {
        let context = volumes[index].pointee.slots + Int(slot)
        if !context.pointee.memory.isNone { memory.release(context.pointee.memory) }
        context.pointee = OwnerSlotContext()
    }

    private mutating func notify(_ index: Int, _ notice: OwnerNotice) {
        let host = volumes[index]
        if case .rebuildProgress = notice {
            // One for each region: two in a second are enough.
            if host.pointee.progressReportedAt + .milliseconds(500) > now { return }
            host.pointee.progressReportedAt = now
        }
        report(.ownerNotice(host.pointee.id, instance: host.pointee.instance, notice))
    }

    // MARK: Time

    private mutating func wakeVolume(_ index: Int, at instant: Instant) {
        let host = volumes[index]
        if instant >= host.pointee.wakesAt { return }
        host.pointee.wakesAt = instant
        timers.add(
            Timer(
                instant: instant, kind: .volume, index: Int32(index),
                generation: volumes.generation(index)))
    }

    mutating func volumeTimer(_ index: Int, _ timer: Timer) {
        guard let host = volumes.find(index, generation: timer.generation),
            host.pointee.wakesAt == timer.instant
        else { return }
        host.pointee.wakesAt = .distantFuture
        guard let machine = host.pointee.machine else { return }
        machine.pointee.tick(now: now)
        markVolume(index)
    }

    // MARK: Sending

    private mutating func send(
        _ request: ReplicaRequest, from index: Int, to peer: PeerIndex, _ slot: OwnerSlot?
    ) {
        let host = volumes[index]
        guard let slot, request.kind == .read || request.kind == .write else {
            deliver(request, from: index, to: peer, slot)
            return
        }
        let context = host.pointee.slots + Int(slot)
        if context.pointee.memory.isNone {
            let buffer = memory.acquire(Int(request.range.length), for: .copy)
            if buffer.isNone { return deferRead(request, index, peer, slot) }
            context.pointee.memory = buffer
            context.pointee.address = memory.bytes(buffer)
        } else if request.kind == .read && context.pointee.readID == request.id {
            if !replaceMemory(context) { return deferRead(request, index, peer, slot) }
        }
        context.pointee.range = request.range
        if request.kind == .read {
            context.pointee.readID = request.id
            context.pointee.hasChecksums = false
        } else if !context.pointee.hasChecksums {
            BlockChecksums.compute(
                UnsafeRawBufferPointer(
                    start: context.pointee.address!, count: Int(request.range.length)),
                into: host.pointee.checksums(of: slot))
            context.pointee.hasChecksums = true
        }
        deliver(request, from: index, to: peer, slot)
    }

    private mutating func deliver(
        _ request: ReplicaRequest, from index: Int, to peer: PeerIndex, _ slot: OwnerSlot?
    ) {
        let link = volumes[index].pointee.peers[peer]
        switch link.kind {
        case .remote: sendFrame(request, from: index, on: link.number, slot)
        case .local: sendHere(request, from: index, link, slot)
        // Gone in this very turn: the machine has been told, or will be.
        case .none: break
        }
    }

    private mutating func sendFrame(
        _ request: ReplicaRequest, from index: Int, on number: Int, _ slot: OwnerSlot?
    ) {
        let host = volumes[index]
        let connection = connections[number]
        guard connection.pointee.state == .open else { return }
        let volume = host.pointee.id
        let version = connection.pointee.version
        if request.kind == .write, let slot {
            let context = host.pointee.slots[Int(slot)]
            let length = Int(request.range.length)
            let row = BlockChecksums.byteCount(dataBytes: length)
            let bytes = connection.pointee.output.append(FrameHeader.byteCount + row)
            _ = request.encode(volume: volume, version: version, to: bytes)
            (bytes + FrameHeader.byteCount).copyMemory(
                from: host.pointee.checksums(of: slot), byteCount: row)
            memory.retain(context.memory)
            connection.pointee.output.append(context.address!, length, memory: context.memory)
        } else {
            connection.pointee.append(FrameHeader.byteCount + StampBody.byteCount) {
                request.encode(volume: volume, version: version, to: $0)
            }
        }
        markDirty(number)
    }

    /// To a replica of this node: no socket, and the slot's own memory.
    private mutating func sendHere(
        _ request: ReplicaRequest, from index: Int, _ link: PeerLink, _ slot: OwnerSlot?
    ) {
        let host = volumes[index]
        var buffer = ReplicaBuffer()
        var checksums: UnsafeRawPointer?
        if let slot, request.kind == .read || request.kind == .write {
            let context = host.pointee.slots[Int(slot)]
            memory.retain(context.memory)
            buffer = ReplicaBuffer(memory: context.memory, address: context.address)
            if request.kind == .write {
                checksums = UnsafeRawPointer(host.pointee.checksums(of: slot))
            }
        } else if request.kind == .list {
            let list = memory.acquire(WireLimits.listBytesMax, for: .copy)
            // As when a message is lost: the machine gives the peer up, and asks again.
            if list.isNone { return }
            buffer = ReplicaBuffer(memory: list, address: memory.bytes(list))
        }
        deliver(request, to: link.number, on: link.link, buffer, checksums: checksums)
    }

    /// A read is sent again: what was asked before may still arrive, in its memory. Where the
    /// client's bytes are to be laid over it, that would undo them: it gets new memory. For others
    /// it does no harm, since nothing is written to the range meanwhile.
    /// - Returns: false where there is none now.
    private mutating func replaceMemory(
        _ context: UnsafeMutablePointer<OwnerSlotContext>
    ) -> Bool {
        let piece = Int(context.pointee.piece)
        if piece < 0 || pieces[piece].clientMemory.isNone { return true }
        let buffer = memory.acquire(Int(context.pointee.range.length), for: .metadata)
        if buffer.isNone { return false }
        memory.release(context.pointee.memory)
        memory.release(pieces[piece].memory)
        memory.retain(buffer)
        pieces[piece].memory = buffer
        pieces[piece].address = memory.bytes(buffer)
        context.pointee.memory = buffer
        context.pointee.address = memory.bytes(buffer)
        return true
    }

    // MARK: Reads that wait for memory

    private mutating func deferRead(
        _ request: ReplicaRequest, _ index: Int, _ peer: PeerIndex, _ slot: OwnerSlot
    ) {
        let host = volumes[index]
        host.pointee.slots[Int(slot)].deferred = request
        host.pointee.slots[Int(slot)].deferredPeer = Int8(peer)
        if host.pointee.hasDeferredReads { return }
        host.pointee.hasDeferredReads = true
        readWaiters.append(index)
    }

    mutating func resumeReads(_ index: Int) {
        guard let host = volumes.find(index), host.pointee.hasDeferredReads else { return }
        host.pointee.hasDeferredReads = false
        for slot in 0..<ReplicationLimits.operationsMax {
            let context = host.pointee.slots[slot]
            guard let request = context.deferred else { continue }
            host.pointee.slots[slot].deferred = nil
            send(request, from: index, to: PeerIndex(context.deferredPeer), OwnerSlot(slot))
        }
    }

    // MARK: Merging

    /// Lays the client's bytes over the blocks that were read.
    private mutating func merge(_ slot: OwnerSlot, of index: Int) {
        let context = volumes[index].pointee.slots + Int(slot)
        let piece = pieces[Int(context.pointee.piece)]
        let target = context.pointee.address!
            + Int(piece.range.offset - context.pointee.range.offset)
        target.copyMemory(from: piece.clientAddress!, byteCount: Int(piece.range.length))
        context.pointee.hasChecksums = false
    }
}
