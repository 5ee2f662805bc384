import EngineCommands
import FUSEProtocol
import Glibc
import Replication
import Ring
import Units

/// FUSE disks: requests are read from /dev/fuse when it is readable, and answered with one write
/// each, both at once: the kernel copies, and never waits.
extension Loop {
    // MARK: Begin and end

    mutating func serveDisk(_ id: VolumeID, _ descriptor: Int32, _ isResumed: Bool) {
        guard let number = volumeNumbers[id] ?? newVolume(id), !isStopping, !disks.isFull,
            volumes[number].pointee.disk < 0,
            let disk = Disk(descriptor: descriptor, volume: number)
        else {
            Glibc.close(descriptor)
            report(.frontEndClosed(id))
            return
        }
        let index = disks.insert(disk)
        volumes[number].pointee.disk = index
        if isResumed && !resumeDisk(index) { return closeDisk(index) }
        readRequests(index)
    }

    /// A process before this one may have read requests and not answered them: the kernel sends
    /// them again. False where it does not: they would wait for ever.
    private mutating func resumeDisk(_ index: Int) -> Bool {
        let disk = disks[index]
        // What that process has acknowledged was for the same client; it has to hear of a loss.
        if let machine = volumes[disk.pointee.volume].pointee.machine,
            machine.pointee.mayLackWrites
        {
            disk.pointee.failsNextFlush = true
        }
        let descriptor = disk.pointee.descriptor
        let isDone = withUnsafeTemporaryAllocation(
            byteCount: FUSELimits.replyBytesMax, alignment: 8
        ) { bytes in
            let count = FUSEReply.encodeResendNotification(into: bytes.baseAddress!)
            return Glibc.write(descriptor, bytes.baseAddress!, count) == count
        }
        if !isDone { shared.log("FUSE disk: nothing is sent again: \(errnoText(errno))") }
        return isDone
    }

    /// A disk may be served before its session is opened: its first requests wait.
    private mutating func newVolume(_ id: VolumeID) -> Int? {
        volumes.isFull ? nil : volume(id, sizeBytes: 0)
    }

    mutating func stopDisk(_ id: VolumeID) {
        guard let number = volumeNumbers[id], volumes[number].pointee.disk >= 0 else {
            report(.frontEndClosed(id))
            return
        }
        closeDisk(volumes[number].pointee.disk)
    }

    /// Nothing more is read or answered. What is under way comes to its end, and stays unanswered:
    /// who has the descriptor next is sent it again.
    mutating func closeDisk(_ index: Int) {
        let disk = disks[index]
        if disk.pointee.isClosing { return }
        disk.pointee.isClosing = true
        disk.pointee.isClosingDescriptor = true
        ring.close(
            disk.pointee.descriptor,
            tag: OperationTag(.closeDisk, index, generation: disks.generation(index)))
    }

    mutating func diskClosed(_ index: Int) {
        let disk = disks[index]
        disk.pointee.isClosingDescriptor = false
        disk.pointee.isDescriptorClosed = true
        let volume = disk.pointee.volume
        volumes[volume].pointee.disk = -1
        report(.frontEndClosed(volumes[volume].pointee.id))
        markVolume(volume)
        while let request = disk.pointee.parked.popFirst() { dropParked(request) }
        removeDiskIfQuiet(index)
    }

    private mutating func removeDiskIfQuiet(_ index: Int) {
        let disk = disks[index]
        guard disk.pointee.isClosing, !disk.pointee.isPolling, !disk.pointee.isClosingDescriptor,
            disk.pointee.isQuiet
        else { return }
        disks.remove(index)
    }

    // MARK: Reading

    mutating func diskReadable(_ index: Int, _ result: Int32) {
        let disk = disks[index]
        disk.pointee.isPolling = false
        if disk.pointee.isClosing { return removeDiskIfQuiet(index) }
        readRequests(index)
    }

    /// Reads what there is, unless that is under way, and waits for more.
    mutating func readRequests(_ index: Int) {
        let disk = disks[index]
        // How large the disk is, is known with the session that is opened first.
        let isKnown = volumes[disk.pointee.volume].pointee.exportBytes > 0
        if disk.pointee.isPolling || !isKnown { return }
        while !disk.pointee.isClosing {
            guard let buffer = disk.pointee.takeBuffer() else {
                disk.pointee.isFull = true
                return
            }
            let count = read(
                disk.pointee.descriptor, disk.pointee.request(buffer), FUSELimits.requestBytesMax)
            if count > 0 {
                take(buffer, count, index)
                continue
            }
            let code = errno
            disk.pointee.giveBack(buffer)
            switch code {
            case EAGAIN:
                disk.pointee.isPolling = true
                ring.pollInput(
                    disk.pointee.descriptor,
                    tag: OperationTag(.diskReadable, index, generation: disks.generation(index)))
                return
            // ENOENT: the request was interrupted before it was read.
            case EINTR, ENOENT: continue
            default:
                // ENODEV: unmounted. ECONNABORTED: the connection was aborted.
                if code != ENODEV { log("FUSE disk: \(errnoText(code))") }
                closeDisk(index)
                return
            }
        }
    }

    private mutating func take(_ buffer: Int, _ count: Int, _ index: Int) {
        let disk = disks[index]
        let bytes = UnsafeRawBufferPointer(start: disk.pointee.request(buffer), count: count)
        let size = volumes[disk.pointee.volume].pointee.exportBytes
        switch FUSERequest.parse(bytes, diskBytes: size) {
        case .perform(let request): begin(request, buffer, index)
        case .answer(let answer):
            let reply = disk.pointee.payload(buffer)
            let length = FUSEReply.encode(answer, diskBytes: size, into: reply)
            respond(index, reply, length)
            disk.pointee.giveBack(buffer)
        case .ignore: disk.pointee.giveBack(buffer)
        case .violation(let violation):
            log("FUSE disk: \(violation)")
            disk.pointee.giveBack(buffer)
            closeDisk(index)
        }
    }

    private mutating func begin(_ fuse: FUSERequest, _ buffer: Int, _ index: Int) {
        let disk = disks[index]
        let volume = disk.pointee.volume
        var range = ByteRange(offset: 0, length: 0)
        let operation: Request.Operation
        switch fuse.operation {
        case .read(let wanted): (operation, range) = (.read, wanted)
        case .write(let wanted): (operation, range) = (.write, wanted)
        case .discard(let wanted): (operation, range) = (.discard, wanted)
        case .writeZeroes(let wanted): (operation, range) = (.writeZeroes, wanted)
        case .flush: operation = .flush
        }
        let request = requests.insert(
            Request(
                operation: operation, client: .disk, number: Int32(index),
                generation: disks.generation(index), volume: Int32(volume), mark: fuse.unique,
                range: range, forceUnitAccess: false, next: range.offset))
        requests[request].buffer = Int32(buffer)
        requests[request].memory = memory.adopt(
            disk.pointee.payload(buffer), disk: index, request: buffer)
        switch operation {
        case .read where range.length == 0: finishIfDone(request)
        case .read: cutDiskRead(request)
        case .write: cutDiskWrite(request, index)
        case .discard, .writeZeroes: begin(request)
        case .flush where disk.pointee.failsNextFlush:
            disk.pointee.failsNextFlush = false
            requests[request].status = .ioError
            finishIfDone(request)
        case .flush: addFlush(request)
        }
    }

    // MARK: Cutting

    private mutating func cutDiskRead(_ request: Int) {
        let buffer = requests[request].memory
        let start = requests[request].range.blockAligned.offset
        while !requests[request].isCut {
            let range = Self.pieceRange(of: requests[request])
            requests[request].next = range.end
            memory.retain(buffer)
            addPiece(
                RequestPiece(
                    request: Int32(request), operation: .read(range), range: range, memory: buffer,
                    address: memory.bytes(buffer) + Int(range.blockAligned.offset - start)))
        }
    }

    /// Whole blocks that lie aligned are written from where they are. Others get memory of their
    /// own; where there is none, the request waits for it.
    private mutating func cutDiskWrite(_ request: Int, _ index: Int) {
        let buffer = requests[request].memory
        while !requests[request].isCut {
            let range = Self.pieceRange(of: requests[request])
            let client = memory.bytes(buffer) + Int(range.offset - requests[request].range.offset)
            var piece = RequestPiece(
                request: Int32(request), operation: .write(range, forceUnitAccess: false),
                range: range, memory: buffer, address: client)
            let isAligned = Int(bitPattern: client) % Int(Geometry.blockBytes) == 0
            if range.isBlockAligned && isAligned {
                memory.retain(buffer)
            } else {
                let blocks = memory.acquire(Int(range.blockAligned.length), for: .client)
                if blocks.isNone {
                    disks[index].pointee.parked.append(request)
                    return
                }
                piece.memory = blocks
                piece.address = memory.bytes(blocks)
                if range.isBlockAligned {
                    piece.address!.copyMemory(from: client, byteCount: Int(range.length))
                } else {
                    memory.retain(buffer)
                    piece.clientMemory = buffer
                    piece.clientAddress = client
                }
            }
            requests[request].next = range.end
            addPiece(piece)
        }
    }

    private mutating func dropParked(_ request: Int) {
        requests[request].next = requests[request].range.end
        finishIfDone(request)
    }

    /// Memory was given back: parked requests go on, and so does reading.
    mutating func resumeDisks() {
        for index in 0..<disks.end {
            guard let disk = disks.find(index) else { continue }
            for _ in 0..<disk.pointee.parked.count {
                if let request = disk.pointee.parked.popFirst() { cutDiskWrite(request, index) }
            }
            if disk.pointee.isFull && disk.pointee.freeCount > 0 {
                disk.pointee.isFull = false
                readRequests(index)
            }
        }
    }

    /// Nobody uses the request's memory any more.
    mutating func requestMemoryFreed(_ freed: Memory.FreedRequest) {
        let disk = disks[Int(freed.disk)]
        disk.pointee.giveBack(Int(freed.request))
        if disk.pointee.isClosing { removeDiskIfQuiet(Int(freed.disk)) }
    }

    // MARK: Answers

    mutating func answerDisk(_ request: Int) {
        let done = requests[request]
        defer {
            memory.release(done.memory)
            removeRequest(request)
        }
        guard let disk = disks.find(Int(done.number), generation: done.generation),
            !disk.pointee.isClosing
        else { return }
        let payload = disk.pointee.payload(Int(done.buffer))
        guard done.status == .ok, done.operation == .read else {
            answer(done, Int(done.number), payload)
            return
        }
        // The header goes right before the data, over what has been read of the request.
        let data = payload + Int(done.range.offset - done.range.blockAligned.offset)
        let reply = data - FUSEReply.headerBytes
        let length = Int(done.range.length)
        _ = FUSEReply.encodeReadHeader(unique: done.mark, dataBytes: length, into: reply)
        respond(Int(done.number), reply, FUSEReply.headerBytes + length)
    }

    private mutating func answer(
        _ done: Request, _ index: Int, _ payload: UnsafeMutableRawPointer
    ) {
        // Not over the payload: it may still be on its way to other nodes.
        let reply = payload - FUSELimits.payloadOffset
        let length =
            if done.status != .ok {
                FUSEReply.encodeError(unique: done.mark, done.status.errno, into: reply)
            } else if done.operation == .write {
                FUSEReply.encodeWritten(
                    unique: done.mark, dataBytes: Int(done.range.length), into: reply)
            } else {
                FUSEReply.encodeDone(unique: done.mark, into: reply)
            }
        respond(index, reply, length)
    }

    /// ENOENT: the kernel does not wait for this answer any more.
    private mutating func respond(_ index: Int, _ bytes: UnsafeRawPointer, _ count: Int) {
        while write(disks[index].pointee.descriptor, bytes, count) < 0 {
            switch errno {
            case EINTR: continue
            case ENOENT: return
            default:
                if errno != ENODEV { log("FUSE disk: \(errnoText(errno))") }
                closeDisk(index)
                return
            }
        }
    }
}

extension ClientStatus {
    /// What a FUSE client is answered.
    var errno: Int32 {
        switch self {
        case .noSpace: ENOSPC
        case .ok, .ioError, .notOwner: EIO
        }
    }
}
