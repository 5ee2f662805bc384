import Glibc
import Replication
import Units
import WireFormat

/// Frames of data connections: checked, and given to whoever the connection belongs to.
extension Loop {
    mutating func parseFrame(_ index: Int) -> ParseStep {
        let connection = connections[index]
        guard connection.pointee.input.count >= FrameHeader.byteCount else { return .needsMore }
        do throws(FrameFault) {
            let header = try FrameHeader.decode(
                connection.pointee.input.first, expecting: connection.pointee.expectation)
            guard connection.pointee.input.count >= FrameHeader.byteCount + header.prefixBytes
            else { return .needsMore }
            switch connection.pointee.role {
            case .stranger: return try helloArrived(index, header)
            case .replicaLink: return try requestArrived(index, header)
            case .ownerLink where connection.pointee.hello == nil:
                return try helloAnswered(index, header)
            case .ownerLink: return try replyArrived(index, header)
            case .heartbeat where connection.pointee.hello == nil:
                return try heartbeatAnswered(index, header)
            case .heartbeat:
                connection.pointee.dropFrame(header)
                heartbeatArrived(index)
                return .again
            case .awaitingReplica, .handshake, .nbd: throw .unexpectedKind(header.kind)
            }
        } catch {
            close(index, "a bad frame: \(error)")
            return .closed
        }
    }

    // MARK: At a replica

    private mutating func requestArrived(
        _ index: Int, _ header: FrameHeader
    ) throws(FrameFault) -> ParseStep {
        let connection = connections[index]
        let prefix = connection.pointee.prefixBytes
        let request = try ReplicaRequest(header, prefix: prefix)
        var buffer = MemoryID.none
        if let byteCount = Self.bufferBytes(for: request) {
            buffer = memory.acquire(byteCount, for: .replica)
            if buffer.isNone {
                memoryWaiters.append(index)
                return .pause
            }
        }
        if request.kind == .write {
            connection.pointee.keepPrefix(header)
            connection.pointee.beginPayload(
                memory.bytes(buffer), Int(request.range.length), memory: buffer)
        } else {
            connection.pointee.dropFrame(header)
            deliver(
                request, to: connection.pointee.host, on: connection.pointee.link,
                ReplicaBuffer(memory: buffer, address: buffer.isNone ? nil : memory.bytes(buffer)),
                checksums: nil)
        }
        return connections[index].pointee.state == .open ? .again : .closed
    }

    /// What a request's data or answer needs; nil for none.
    static func bufferBytes(for request: ReplicaRequest) -> Int? {
        switch request.kind {
        case .read, .write: Int(request.range.length)
        case .list: WireLimits.listBytesMax
        default: nil
        }
    }

    /// A write's payload is complete.
    mutating func writeArrived(_ index: Int) -> ParseStep {
        let connection = connections[index]
        let address = connection.pointee.payload.address!
        let data = UnsafeRawBufferPointer(start: address, count: connection.pointee.payload.length)
        let buffer = connection.pointee.endPayload()
        if let block = BlockChecksums.firstMismatch(data, connection.pointee.prefix) {
            memory.release(buffer)
            close(index, "block \(block) of a write does not match its checksum")
            return .closed
        }
        do throws(FrameFault) {
            let request = try ReplicaRequest(
                connection.pointee.frame, prefix: connection.pointee.prefix)
            deliver(
                request, to: connection.pointee.host, on: connection.pointee.link,
                ReplicaBuffer(memory: buffer, address: address),
                checksums: connection.pointee.prefix)
        } catch {
            memory.release(buffer)
            close(index, "a bad frame: \(error)")
        }
        return connections[index].pointee.state == .open ? .again : .closed
    }

    // MARK: At an owner

    private mutating func replyArrived(
        _ index: Int, _ header: FrameHeader
    ) throws(FrameFault) -> ParseStep {
        let connection = connections[index]
        let reply = try ReplicaReply(header, prefix: connection.pointee.prefixBytes)
        guard header.payloadBytes > 0 else {
            connection.pointee.dropFrame(header)
            replied(connection.pointee.host, connection.pointee.peer, reply)
            return connections[index].pointee.state == .open ? .again : .closed
        }
        if reply.kind == .list {
            let buffer = memory.acquire(WireLimits.listBytesMax, for: .copy)
            if buffer.isNone {
                memoryWaiters.append(index)
                return .pause
            }
            connection.pointee.keepPrefix(header)
            connection.pointee.beginPayload(
                memory.bytes(buffer), header.payloadBytes, memory: buffer)
            return .again
        }
        guard let slot = readSlot(connection.pointee.host, reply.id) else {
            // What asked for it has ended: the data is thrown away, its arrival counts.
            connection.pointee.dropFrame(header)
            connection.pointee.payload.skipping = header.payloadBytes
            replied(connection.pointee.host, connection.pointee.peer, reply)
            return connections[index].pointee.state == .open ? .again : .closed
        }
        guard slot.range == ByteRange(offset: header.offset, length: UInt64(header.length)) else {
            throw .badRange(header.kind, offset: header.offset, length: header.length)
        }
        connection.pointee.keepPrefix(header)
        memory.retain(slot.memory)
        connection.pointee.beginPayload(slot.address!, header.payloadBytes, memory: slot.memory)
        return .again
    }

    /// A read's data or a list's entries are complete.
    mutating func replyPayloadArrived(_ index: Int) -> ParseStep {
        let connection = connections[index]
        let address = connection.pointee.payload.address!
        let length = connection.pointee.payload.length
        let buffer = connection.pointee.endPayload()
        defer { memory.release(buffer) }
        do throws(FrameFault) {
            let header = connection.pointee.frame
            let reply = try ReplicaReply(header, prefix: connection.pointee.prefix)
            if reply.kind == .list {
                try listArrived(index, reply, address)
            } else {
                let data = UnsafeRawBufferPointer(start: address, count: length)
                guard BlockChecksums.firstMismatch(data, connection.pointee.prefix) == nil else {
                    throw .badBodyChecksum(header.kind)
                }
                readArrived(index, reply)
            }
        } catch {
            close(index, "a bad frame: \(error)")
        }
        return connections[index].pointee.state == .open ? .again : .closed
    }

    private mutating func listArrived(
        _ index: Int, _ reply: ReplicaReply, _ address: UnsafeMutableRawPointer
    ) throws(FrameFault) {
        let connection = connections[index]
        let volume = volumes[connection.pointee.host]
        let entries = UnsafeMutableBufferPointer(
            start: address.bindMemory(to: RegionEntry.self, capacity: RegionEntry.pageMax),
            count: RegionEntry.pageMax)
        let count = try RegionEntries.decode(
            connection.pointee.frame, prefix: connection.pointee.prefix, payload: address,
            from: OwnerMachine.listStart(of: reply.id),
            regionCount: Geometry.regionCount(volume.pointee.sizeBytes), into: entries)
        listed(
            connection.pointee.host, connection.pointee.peer, reply,
            UnsafeBufferPointer(rebasing: entries[..<count]))
    }
}

extension Connection {
    /// The bytes after the header of the frame at the input's front.
    var prefixBytes: UnsafeMutableRawPointer { input.first + FrameHeader.byteCount }

    mutating func dropFrame(_ header: FrameHeader) {
        input.drop(FrameHeader.byteCount + header.prefixBytes)
    }

    /// Keeps header and prefix while the payload is being received.
    mutating func keepPrefix(_ header: FrameHeader) {
        frame = header
        prefix.copyMemory(from: prefixBytes, byteCount: header.prefixBytes)
        dropFrame(header)
    }

    /// Writes a frame of at most `bytesMax` bytes that `encode` writes and counts.
    mutating func append(_ bytesMax: Int, _ encode: (UnsafeMutableRawPointer) -> Int) {
        let bytes = output.append(bytesMax)
        output.takeBack(bytesMax - encode(bytes))
    }
}
