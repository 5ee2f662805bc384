import Records
import Units

// A volume that is used here, and wanted elsewhere.
//
// An operator's order is refused. A container engine's order stands for a while, because a Swarm
// starts the next task before it has ended the last one:
//
//     this node's engine    the order
//     lives                 stands until the users have ended, or the time of `handover` is over
//     missing               stands until the engine is back, or gone
//     gone                  is followed: the users get errors
//
// Nobody but its engine would end a container, and a Swarm that has lost a node's engine starts the
// container's next life elsewhere. As long as nobody asks, the container keeps its volume.
extension VolumeKeeper {
    private static let lookAtUsers = Duration.milliseconds(100)

    /// Whether the volume has been taken from its users. If it has not, the order stands for now,
    /// or has been taken back.
    func isTakenFromUsers(_ wanted: WantedVolume?) async throws -> Bool {
        guard let wanted, wanted.isBrought, wanted.attachTo != context.node, !wanted.isDeleting,
            context.holds.contains(volume)
        else {
            try await refuseOrder()
            return false
        }
        switch await context.holds.engineLife() {
        case .gone:
            try await takeFromUsers(wanted)
            return true
        case .missing: lookAtUsersAgain()
        case .lives:
            let since = isAwaitedSince ?? .now
            isAwaitedSince = since
            if ContinuousClock.now < since + context.settings.times.handover {
                lookAtUsersAgain()
            } else {
                try await refuseOrder()
            }
        }
        return false
    }

    private func refuseOrder() async throws {
        isAwaitedSince = nil
        try await stayAttached()
    }

    /// One bell for however many looks.
    private func lookAtUsersAgain() {
        guard looksAtUsersAt <= .now else { return }
        looksAtUsersAt = .now + Self.lookAtUsers
        bell.ring(after: Self.lookAtUsers)
    }

    private func takeFromUsers(_ wanted: WantedVolume) async throws {
        isTakingDown = true
        defer { isTakingDown = false }
        try await forceDown()
        isAwaitedSince = nil
        let target = wanted.attachTo.map { context.view.name(of: $0) } ?? "nowhere"
        await context.event(
            .takenFromUsers, "\(name) is taken from its users on node \(context.node.short), whose"
                + " container engine is gone, as node \(target) wants it; they get errors")
    }
}
