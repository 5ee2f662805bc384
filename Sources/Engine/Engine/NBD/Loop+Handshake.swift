import EngineCommands
import Glibc
import NBDProtocol
import Units

/// NBD clients until they have their volume.
extension Loop {
    mutating func beginHandshake(_ socket: Int32) {
        let index = connections.insert(Connection(socket: socket, role: .handshake, state: .open))
        connections[index].pointee.handshake = NBDHandshake()
        sendText(NBDHandshake.greeting, on: index)
        receive(index)
    }

    private mutating func sendText(_ bytes: [UInt8], on index: Int) {
        if bytes.isEmpty { return }
        connections[index].pointee.append(bytes.count) { target in
            bytes.withUnsafeBytes { target.copyMemory(from: $0.baseAddress!, byteCount: $0.count) }
            return bytes.count
        }
        markDirty(index)
    }

    mutating func parseHandshake(_ index: Int) -> ParseStep {
        let connection = connections[index]
        let count = connection.pointee.input.count
        if count > 0 {
            connection.pointee.handshake!.receive(
                UnsafeRawBufferPointer(start: connection.pointee.input.first, count: count))
            connection.pointee.input.drop(count)
        }
        return advanceHandshake(index)
    }

    /// Performs what the handshake asks for.
    private mutating func advanceHandshake(_ index: Int) -> ParseStep {
        let connection = connections[index]
        while let event = connection.pointee.handshake!.next() {
            switch event {
            case .send(let bytes): sendText(bytes, on: index)
            case .listExports:
                let listings = exportNames.map { NBDListing(name: $0, description: "") }
                connection.pointee.handshake!.list(listings)
            case .openExport(let name), .describeExport(let name): askForExport(name, index)
            case .entered(let session):
                enter(index, session)
                return .again
            case .close(let reason):
                if reason != .aborted { log("NBD client: \(reason)") }
                connection.pointee.closesAfterSending = true
                markDirty(index)
                connection.pointee.isPaused = true
                return .closed
            }
        }
        return .needsMore
    }

    private mutating func askForExport(_ name: String, _ index: Int) {
        lastExportToken += 1
        let token = UInt64(number) << 48 | lastExportToken
        exportQuestions[token] = ExportQuestion(
            connection: index, generation: connections.generation(index), name: name)
        report(.exportWanted(token: token, name: name))
    }

    mutating func exportAnswered(
        _ token: UInt64, _ result: Result<EngineCommands.NBDExport, ExportRefusal>
    ) {
        guard let question = exportQuestions.removeValue(forKey: token),
            let connection = connections.find(question.connection, generation: question.generation),
            connection.pointee.state == .open
        else {
            // The client has gone meanwhile, and control has got the volume ready.
            if case .success(let export) = result { reportIfIdle(export.volume) }
            return
        }
        switch result {
        case .failure(let refusal):
            connection.pointee.handshake!.refuse(
                refusal.isUnknownName ? .unknown : .policy, message: refusal.message)
        case .success(let export):
            let home = shared.loop(of: export.volume)
            if home != number { return moveClient(question, export, to: home) }
            accept(question.connection, export, name: question.name)
        }
        if advanceHandshake(question.connection) != .closed { parse(question.connection) }
    }

    /// From here on the connection counts as a client of the volume.
    private mutating func accept(_ index: Int, _ export: EngineCommands.NBDExport, name: String) {
        let connection = connections[index]
        let host = volume(export.volume, sizeBytes: export.sizeBytes)
        if connection.pointee.host != host {
            leaveVolume(index)
            volumes[host].pointee.clientCount += 1
            connection.pointee.host = host
            connection.pointee.hostGeneration = volumes.generation(host)
        }
        connection.pointee.handshake!.accept(
            NBDProtocol.NBDExport(
                name: name, description: export.description,
                sizeBytes: export.sizeBytes & ~(Geometry.blockBytes - 1)))
    }

    private mutating func enter(_ index: Int, _ session: NBDSession) {
        let connection = connections[index]
        connection.pointee.role = .nbd
        connection.pointee.nbd.structuredReplies = session.structuredReplies
        let rest = connection.pointee.handshake!.takeRemainder()
        connection.pointee.handshake = nil
        rest.withUnsafeBytes { bytes in
            guard let first = bytes.baseAddress else { return }
            let room = connection.pointee.input.room()
            // A handshake keeps less than an input holds, and the input is empty.
            require(bytes.count <= room.count, "\(bytes.count) bytes left of a handshake")
            room.baseAddress!.copyMemory(from: first, byteCount: bytes.count)
            connection.pointee.input.received(bytes.count)
        }
    }

    // MARK: Between loops

    /// Hands the client over to the volume's loop: the socket goes as a copy, since what was used
    /// on a ring is closed there.
    private mutating func moveClient(
        _ question: ExportQuestion, _ export: EngineCommands.NBDExport, to home: Int
    ) {
        let connection = connections[question.connection]
        let copy = fcntl(connection.pointee.socket, F_DUPFD_CLOEXEC, 0)
        if copy < 0 { return close(question.connection, "NBD client: \(errnoText(errno))") }
        let message = LoopMessage.adoptClient(
            socket: copy, connection.pointee.handshake!, export, name: question.name)
        if !shared.send(message, to: home) { Glibc.close(copy) }
        close(question.connection, nil)
    }

    mutating func adoptClient(
        _ socket: Int32, _ handshake: NBDHandshake, _ export: EngineCommands.NBDExport, name: String
    ) {
        if isStopping || connections.isFull {
            Glibc.close(socket)
            return
        }
        let index = connections.insert(Connection(socket: socket, role: .handshake, state: .open))
        connections[index].pointee.handshake = handshake
        accept(index, export, name: name)
        if advanceHandshake(index) != .closed { parse(index) }
    }

    // MARK: Ends

    mutating func handshakeClosed(_ index: Int) { leaveVolume(index) }

    /// The connection is no client of its volume any more.
    mutating func leaveVolume(_ index: Int) {
        let connection = connections[index]
        let host = connection.pointee.host
        guard host >= 0 else { return }
        connection.pointee.host = -1
        volumes[host].pointee.clientCount -= 1
        let id = volumes[host].pointee.id
        reportIfIdle(id)
        markVolume(host)
    }

    private mutating func reportIfIdle(_ volume: VolumeID) {
        if let index = volumeNumbers[volume], volumes[index].pointee.clientCount > 0 { return }
        report(.exportIdle(volume))
    }
}
