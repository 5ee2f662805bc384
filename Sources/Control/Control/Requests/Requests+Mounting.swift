import API
import Records
import Units

// Volumes that follow whoever uses them: what a container engine needs.
extension Requests {
    /// Volumes that have users on this node, all of them: none of these is unmounted or given
    /// away, whoever asks, until it is not among them any more.
    public func hold(_ volumes: Set<String>) {
        context.holds.set(Set(volumes.compactMap { VolumeID(text: $0) }))
    }

    /// Who is asked whether the container engine of this node lives, when another node's engine
    /// wants a volume that is held here.
    public func askOfEngine(_ question: @escaping @Sendable () async -> EngineLife) {
        context.holds.ask(question)
    }

    /// Brings a volume to this node and mounts it; returns when its filesystem has been seen at
    /// the mount point. The volume should be held. Where it fails the order stands, until `letGo`.
    ///
    /// A volume that nobody uses comes from wherever it is. The node that has it is asked by the
    /// order itself: it lets go, at once or as soon as its users have ended, or takes the order
    /// back, which is a refusal (VolumeKeeper+Users.swift). A node that does
    /// neither is silent: it will be heard, or be found dead within the liveness time, and then
    /// the volume is taken over. Nothing is refused for coming too early.
    public func bring(_ name: String, atMost limit: Duration) async throws -> VolumeStanding {
        let what = "Mount \(name)"
        let deadline = ContinuousClock.now + limit
        let volume = try volume(name, in: context.view, for: what)
        do {
            if let standing = try await confirmed(volume.id) { return standing }
            let former = try await order(volume, what)
            while true {
                try await waitUntilMounted(volume, until: deadline, what)
                if let standing = try await confirmed(volume.id) {
                    await tellDeath(of: former, volume)
                    return standing
                }
                try Task.checkCancellation()
                try await Task.sleep(for: .milliseconds(20))
            }
        } catch {
            throw failure(error, of: what)
        }
    }

    /// The volume as it is, if it is mounted here for good.
    private func confirmed(_ volume: VolumeID) async throws -> VolumeStanding? {
        guard let standing = standing(id: volume.text), standing.isWantedHere,
            standing.mountPoint != nil,
            try await plane.keeper(of: volume).confirmMount()
        else { return nil }
        return standing
    }

    /// Returns the node that had it.
    private func order(_ volume: WantedVolume, _ what: String) async throws -> NodeID? {
        let here = context.node
        var former: NodeID?
        try await change(volume, what) { record, view in
            former = record.attachTo
            if record.isExportOnly, view.statuses[record.id]?.isAttached ?? false {
                let node = record.attachTo.map { view.name(of: $0) } ?? "nowhere"
                throw RequestError(
                    .conflict, what, why: "network clients have it open at node \(node)",
                    next: "close them first")
            }
            record.attachTo = here
            record.broughtTo = here
            record.mount = true
            record.isExportOnly = false
        }
        return former == here ? nil : former
    }

    private func waitUntilMounted(
        _ volume: WantedVolume, until deadline: ContinuousClock.Instant, _ what: String
    ) async throws {
        let here = context.node
        let limit = max(.zero, deadline - .now)
        let isThere = try await context.board.wait(atMost: limit) { view -> Bool? in
            guard let wanted = view.wanted[volume.id]?.record, !wanted.isDeleting else {
                throw RequestError(.notFound, what, why: "the volume was removed")
            }
            guard wanted.attachTo == here else {
                let node = wanted.attachTo.map { " at node \(view.name(of: $0))" } ?? ""
                throw RequestError(
                    .conflict, what, why: "the volume is in use\(node)",
                    next: "stop what uses it there first")
            }
            guard let status = view.statuses[volume.id], status.node == here else { return nil }
            if let failure = status.failure { throw RequestError(.conflict, what, why: failure) }
            return status.isMounted ? true : nil
        }
        guard isThere == nil else { return }
        try Task.checkCancellation()
        let wait = shown(volume)?.wait
        throw RequestError(
            .timedOut, what, why: wait.map { "it waits for \($0.forWhat)" } ?? "it is not done yet",
            next: wait.map { "this ends when \($0.endsWith)" } ?? "try again")
    }

    /// A node that is dead cannot tell itself that the volume has left it.
    private func tellDeath(of former: NodeID?, _ volume: WantedVolume) async {
        guard let former, !context.view.isAlive(former) else { return }
        await context.volumeLeft(volume, deadNode: former)
    }

    /// Takes the volume off this node, which keeps owning it; nothing where it is not here, or is
    /// held. Returns when that is done, or after `limit`; it goes on.
    public func letGo(_ id: String, atMost limit: Duration) async throws {
        guard let id = VolumeID(text: id), let volume = context.view.wanted[id]?.record,
            !volume.isDeleting
        else { return }
        let here = context.node
        let what = "Unmount \(volume.name)"
        do {
            try await change(volume, what) { record, _ in
                guard record.attachTo == here, !context.holds.contains(id) else { return }
                record.attachTo = nil
                record.mount = false
                record.isExportOnly = false
                record.parkedAt = here
            }
            _ = try await context.board.wait(atMost: limit) { view -> Bool? in
                guard view.wanted[id]?.record.attachTo != here,
                    let status = view.statuses[id], status.node == here
                else { return true }
                return status.isAttached || status.isMounted ? nil : true
            }
        } catch {
            throw failure(error, of: what)
        }
    }

    /// Tells that containers have gone without a word.
    public func tellUsersGone(_ id: String, _ count: Int) async {
        guard let id = VolumeID(text: id) else { return }
        let users = count == 1 ? "1 user" : "\(count) users"
        await context.event(
            .usersGone, "\(context.name(of: id)): \(users) on node \(context.node.short) gone"
                + " without a word from Docker")
    }
}
