import Control

// Calls that change something. Each runs in its volume's turn.
extension Plugin {
    func mount(_ name: String, id: String, _ what: String) async throws -> String {
        let volume = try found(name, "Mount")
        guard references.volumes[volume.id]?.ids.count ?? 0 < Limits.referencesMax else {
            throw RequestError(
                .conflict, what, why: "it has \(Limits.referencesMax) users here already")
        }
        busy.insert(volume.id)
        mountsUnderWay += 1
        defer {
            busy.remove(volume.id)
            mountsUnderWay -= 1
            lastMountEnded = host.now()
        }
        let isNew = references.insert(
            id, of: volume.id, named: name, isBrought: !volume.isWantedHere, at: host.now())
        do {
            try await save()
            let mounted = try await volumes.bring(name, atMost: Limits.bring)
            guard mounted.id == volume.id, let folder = mounted.folder else {
                throw RequestError(.conflict, what, why: "the volume was made anew", next: "try again")
            }
            try await host.prepare(folder)
            references.insert(
                id, of: volume.id, named: name, isBrought: false, at: host.now())
            return folder
        } catch {
            if isNew {
                references.remove(id, of: volume.id)
                await saveOrTell()
            }
            throw told(error, what)
        }
    }

    /// An id that is not there any more, or never was, is no error: Docker may say it twice.
    func unmount(_ name: String, id: String, _ what: String) async throws {
        let holding = references.volumes(named: name).filter { volume in
            references.volumes[volume]?.ids[id] != nil
        }
        if holding.isEmpty { _ = try found(name, "Unmount") }
        for volume in holding {
            busy.insert(volume)
            defer { busy.remove(volume) }
            references.remove(id, of: volume)
            do { try await save() } catch { throw told(error, what) }
            await letGoIfUnused(volume)
        }
    }

    func remove(_ name: String, _ what: String) async throws {
        let volume = try found(name, "Remove")
        if let uses = references.volumes[volume.id], !uses.ids.isEmpty {
            throw RequestError(
                .conflict, what, why: "the volume is in use on this node, \(uses.ids.count) times",
                next: "remove the containers that use it first")
        }
        busy.insert(volume.id)
        defer { busy.remove(volume.id) }
        await letGoIfUnused(volume.id)
        do { try await volumes.removeVolume(name) } catch { throw told(error, what) }
        references.forget(volume.id)
        await saveOrTell()
    }

    private func told(_ error: any Error, _ what: String) -> RequestError {
        error as? RequestError ?? RequestError(.unavailable, what, why: "\(error)")
    }
}

extension Plugin {
    /// Takes the volume off this node after its last reference, if it came here for Docker. What
    /// cannot be done now is tried again with the next upkeep.
    func letGoIfUnused(_ volume: String) async {
        guard let uses = references.volumes[volume], uses.ids.isEmpty, uses.isBrought,
            let standing = volumes.standing(id: volume)
        else { return }
        if standing.isWantedHere {
            guard await isReleased(standing) else { return }
            do { try await volumes.letGo(volume, atMost: Limits.letGo) } catch {
                return logger.warning("\(error)")
            }
            guard volumes.standing(id: volume)?.isWantedHere != true else { return }
        }
        guard !references.isUsed(volume) else { return }
        references.leave(volume)
        await saveOrTell()
    }

    /// Whether no container holds it any more. The kernel takes a moment to clear away the
    /// namespace of a container that has ended.
    private func isReleased(_ volume: VolumeStanding) async -> Bool {
        let deadline = ContinuousClock.now + Limits.containerGone
        while true {
            if await host.holders(of: [volume])[volume.id] ?? [] == [] { return true }
            guard ContinuousClock.now < deadline, !Task.isCancelled else { return false }
            try? await Task.sleep(for: .milliseconds(50))
        }
    }
}
