import EngineCommands
import Metadata
import Records
import Units

// NBD clients that ask for a volume by name: it is attached here, if it is free.
extension ControlPlane {
    /// How long a client waits for the volume to be served here.
    private static let exportPatience = Duration.seconds(60)

    func answerExport(_ token: UInt64, _ name: String) async {
        let answer: Result<NBDExport, ExportRefusal>
        do {
            answer = .success(try await openExport(name))
        } catch let refusal as ExportRefusal {
            answer = .failure(refusal)
        } catch {
            answer = .failure(ExportRefusal(isUnknownName: false, message: "\(name): \(error)"))
        }
        context.engine.send(.exportAnswered(token: token, answer))
    }

    private func openExport(_ name: String) async throws -> NBDExport {
        guard let wanted = context.view.volume(named: name)?.record, !wanted.isDeleting else {
            throw ExportRefusal(isUnknownName: true, message: "there is no volume \(name)")
        }
        var keeper = keeper(of: wanted.id)
        try await keeper.beginExport()
        // It may have been let go, being idle, just before it heard of the client.
        while !isKept(keeper) {
            keeper = self.keeper(of: wanted.id)
            try await keeper.beginExport()
        }
        do {
            try await attachForExport(wanted)
            try await keeper.waitForExport(atMost: Self.exportPatience)
            await keeper.endExport()
        } catch {
            await keeper.endExport()
            throw error
        }
        return NBDExport(
            volume: wanted.id, sizeBytes: wanted.size.bytes,
            description: "\(wanted.copies)-copy volume vd\(wanted.vdisk)")
    }

    private func attachForExport(_ volume: WantedVolume) async throws {
        let (node, board) = (context.node, context.board)
        var refusal: ExportRefusal?
        var former: NodeID?
        let stored = try await context.store.update(
            Keys.wanted(volume.id), as: WantedVolume.self
        ) { record in
            refusal = nil
            former = nil
            guard var record, !record.isDeleting else {
                refusal = ExportRefusal(
                    isUnknownName: true, message: "there is no volume \(volume.name)")
                return nil
            }
            if record.attachTo == node { return nil }
            let view = board.view
            if let other = record.attachTo, view.isAlive(other) {
                refusal = ExportRefusal(
                    isUnknownName: false, message: "volume \(volume.name) is attached at node"
                        + " \(view.name(of: other)); detach or move it first")
                return nil
            }
            former = record.attachTo
            record.attachTo = node
            record.mount = false
            record.isExportOnly = true
            return record
        }
        if let refusal { throw refusal }
        if let former { await context.volumeLeft(volume, deadNode: former) }
        if let stored { await board.wait(for: stored.entry.modRevision) }
    }
}

extension VolumeKeeper {
    /// Refuses while the volume is open through this node's device.
    func beginExport() async throws {
        let message = "\(name) is open through this node's device"
        if kept != nil { throw ExportRefusal(isUnknownName: false, message: message) }
        if frontEnd.mountPoint != nil {
            throw ExportRefusal(isUnknownName: false, message: "\(message); unmount it first")
        }
        if let device = frontEnd.device, try await context.devices.isInUse(device) {
            throw ExportRefusal(isUnknownName: false, message: "\(message); close it first")
        }
        exportsPending += 1
    }

    func endExport() {
        exportsPending -= 1
        bell.ring()
    }

    /// Returns when the session serves and the volume's raw content may be given away.
    func waitForExport(atMost limit: Duration) async throws {
        bell.ring()
        let deadline = ContinuousClock.now + limit
        while !session.isServing {
            guard ContinuousClock.now < deadline, !isStopping, stoppedBy == nil else {
                throw ExportRefusal(
                    isUnknownName: false, message: "\(name) cannot be served here now")
            }
            try await Task.sleep(for: .milliseconds(20))
        }
        try await giveRawContent()
        exportClients = true
        bell.ring()
    }
}
