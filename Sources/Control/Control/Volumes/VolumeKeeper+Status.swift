import FoundationEssentials
import Metadata
import Records
import Units

/// What was last published of a volume.
struct StatusState {
    /// Under which lease; another one means that it has to be published again.
    var lease: LeaseID?
    var published: VolumeStatus?
    var publishedAt: ContinuousClock.Instant?
    /// Since when the session is being opened, in seconds since 1970.
    var waitsSince: Double?
    var isWaitTold = false
}

// What the cluster sees of this volume at its owner.
extension VolumeKeeper {
    /// Between two publications of nothing but progress.
    private static let progressInterval = Duration.seconds(1)
    /// A volume that waits for longer is told of in an event.
    private static let waitTold = 5.0

    /// Claims the session for this node, for others to see, for as long as the node lives.
    /// False when the node cannot prove now that it does.
    func claim() async throws -> Bool {
        guard let lease = context.liveness.lease else { return false }
        let claimed = VolumeStatus(volume: volume, node: context.node)
        try await context.store.put(Keys.status(volume), record: claimed, lease: lease)
        status = StatusState(lease: lease, published: claimed, publishedAt: .now)
        return true
    }

    func publishStatus() async {
        do throws(MetadataError) {
            // What is left stands there for as long as the node seems to live.
            if hasLeft, isIdle { return }
            if isIdle { try await withdraw() } else { try await publish() }
        } catch {
            context.logger.warning("status of \(name): \(error)")
            bell.ring(after: context.settings.times.retry)
        }
    }

    private func withdraw() async throws(MetadataError) {
        guard status.published != nil else { return }
        let key = Keys.status(volume)
        if let stored: Stored<VolumeStatus> = try await context.store.record(key),
            stored.record.node == context.node
        {
            _ = try await context.store.delete(ifUnchanged: stored.entry)
        }
        status = StatusState()
    }

    private func publish() async throws(MetadataError) {
        guard session != .closed, let lease = context.liveness.lease else { return }
        await noteWait()
        let now = currentStatus()
        if status.lease == lease, let published = status.published {
            guard published != now else { return }
            var plain = now
            plain.rebuild = published.rebuild
            if plain == published, published.rebuild != nil, now.rebuild != nil,
                let last = status.publishedAt, ContinuousClock.now < last + Self.progressInterval
            {
                return bell.ring(after: Self.progressInterval)
            }
        }
        // Only while the session is ours: a new owner's status is not written over.
        guard let instance = session.instance,
            let owned: Stored<VolumeConfiguration> = try await context.store.record(
                Keys.configuration(volume)),
            owned.record.owner?.instance == instance || !session.isServing
        else { return }
        let put = try Transaction.Operation.put(Keys.status(volume), record: now, lease: lease)
        let result = try await context.store.transaction(Transaction(
            if: [.unchanged(owned.entry.key, since: owned.entry)], then: [put]))
        guard result.succeeded else { return bell.ring() }
        status.lease = lease
        status.published = now
        status.publishedAt = .now
    }

    private func currentStatus() -> VolumeStatus {
        let device = frontEnd.device ?? kept?.device
        var now = VolumeStatus(
            volume: volume, node: context.node, isAttached: device != nil || exportClients,
            isMounted: frontEnd.mountPoint != nil, device: device?.link,
            mountPoint: frontEnd.mountPoint, failure: toldFailure)
        if session.isServing { now.size = frontEnd.device == nil ? size : frontEnd.deviceSize }
        if case .opening = session {
            now.waitsFor = "the promises of its copies"
            now.waitsSince = status.waitsSince
            now.waitEndsWith = "they have answered, or their nodes are given up"
        }
        if let running = rebuild.running,
            let target = context.view.configurations[volume]?.record.replicas
                .first(where: { $0.id == running.replica })
        {
            now.rebuild = RebuildProgress(
                replica: running.replica, node: target.node, regionsDone: running.done,
                regionsTotal: running.total, isLocality: target.node == context.node)
        }
        return now
    }

    /// Remembers since when a session is being opened, and tells once of a long wait.
    private func noteWait() async {
        let now = Date().timeIntervalSince1970
        guard case .opening = session else {
            if status.isWaitTold {
                await context.event(.waitEnded, "\(name) waits no more")
            }
            status.waitsSince = nil
            status.isWaitTold = false
            return
        }
        let since = status.waitsSince ?? now
        status.waitsSince = since
        if now - since < Self.waitTold {
            bell.ring(after: .seconds(Self.waitTold))
        } else if !status.isWaitTold {
            status.isWaitTold = true
            await context.event(
                .volumeWaits, "\(name) waits for the promises of its copies; this ends when"
                    + " they have answered, or their nodes are given up")
        }
    }
}
