import Control

// What nobody tells: looked for from time to time.
extension Plugin {
    /// Until the task is cancelled.
    func keepUp() async {
        while !Task.isCancelled {
            await upkeep()
            try? await Task.sleep(for: Limits.upkeep)
        }
    }

    func upkeep() async {
        guard volumes.isInformed else { return }
        await dropLost()
        await lookAtContainers()
        for (volume, uses) in references.volumes where uses.ids.isEmpty && !busy.contains(volume) {
            await letGoIfUnused(volume)
        }
    }

    /// A volume that has been removed, or that another node has taken over, has no users here:
    /// whoever still has it open gets errors.
    private func dropLost() async {
        var isChanged = false
        for (volume, uses) in references.volumes where !busy.contains(volume) {
            let standing = volumes.standing(id: volume)
            guard standing?.isElsewhere ?? true else { continue }
            let count = references.forget(volume)
            isChanged = true
            logger.notice("volume \(uses.name) has left this node, with \(count) references")
        }
        if isChanged { await saveOrTell() }
    }

    /// Compares the references with the containers that there are.
    private func lookAtContainers() async {
        let here = volumes.standings().filter(\.isWantedHere)
        guard !here.isEmpty, !hasLooked || !references.isEmpty else { return }
        let holders = await host.holders(of: here)
        let isAsked = here.contains { isOldEnough($0.id) }
        let listed = isAsked ? await host.listedVolumes() : nil
        for volume in here where !busy.contains(volume.id) {
            let namespaces = holders[volume.id] ?? []
            if await note(namespaces, of: volume) { continue }
            let seen = GhostFinder.Sightings(
                namespaces: namespaces, isListed: listed.map { $0.contains(volume.name) })
            await free(seen, of: volume)
        }
        hasLooked = true
    }

    /// Containers whose references are lost have new ones made for them. Whether there were any.
    private func note(_ namespaces: Set<String>, of volume: VolumeStanding) async -> Bool {
        guard !namespaces.isEmpty, !references.isUsed(volume.id) else { return false }
        for namespace in namespaces.sorted() {
            references.insert(
                ReferenceSet.foundPrefix + namespace, of: volume.id, named: volume.name,
                isBrought: true, at: host.now())
        }
        logger.notice("volume \(volume.name) is in use here, \(namespaces.count) times")
        await saveOrTell()
        return true
    }

    private func free(_ seen: GhostFinder.Sightings, of volume: VolumeStanding) async {
        guard let ids = references.volumes[volume.id]?.ids else { return }
        let ghosts = GhostFinder.ghosts(
            among: ids, seen: seen, quietSince: mountsUnderWay > 0 ? nil : lastMountEnded,
            now: host.now())
        guard !ghosts.isEmpty else { return }
        for id in ghosts { references.remove(id, of: volume.id) }
        await saveOrTell()
        await volumes.tellUsersGone(volume.id, ghosts.count)
        await letGoIfUnused(volume.id)
    }

    private func isOldEnough(_ volume: String) -> Bool {
        let now = host.now()
        return references.volumes[volume]?.ids.values.contains {
            now - $0 >= GhostFinder.seconds(Limits.youth)
        } ?? false
    }
}
