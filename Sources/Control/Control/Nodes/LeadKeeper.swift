import FoundationEssentials
import Logging
import Metadata
import Records
import Scheduling
import Units

/// Leads the cluster while it is this node's turn: names owners, places copies, moves roles, and
/// tells of nodes that are lost and back.
///
/// The lead is a record under the liveness lease of its holder. It belongs to the first voter that
/// lives, in the order sds, backup1, backup2. Every change compares it, so that one who has lost
/// it changes nothing.
actor LeadKeeper {
    let context: NodeContext
    private let bell = Bell()
    /// Since when nodes are silent and volumes wait, by this node's clock.
    private var silentSince: [NodeID: ContinuousClock.Instant] = [:]
    private var waitsSince: [VolumeID: ContinuousClock.Instant] = [:]
    private var leads = false

    init(context: NodeContext) { self.context = context }

    func run() async {
        context.board.add(bell)
        bell.ring()
        await bell.forEachRing {
            do {
                try await step()
            } catch {
                context.logger.warning("leading: \(error)")
                bell.ring(after: context.settings.times.retry)
            }
        }
    }

    private func step() async throws {
        let view = context.view
        guard let lease = context.liveness.lease, view.nodes[context.node] != nil else { return }
        let isTurn = Self.firstInLine(view) == context.node
        guard let lead = view.lead else {
            leads = false
            if isTurn { try await takeLead(lease) }
            return
        }
        guard lead.record.incarnation == context.settings.incarnation else {
            leads = false
            return
        }
        guard isTurn else {
            _ = try await context.store.delete(ifUnchanged: lead.entry)
            return
        }
        if !leads { beginLeading() }
        // Nothing is decided about nodes of which it cannot be told yet whether they live.
        let someAreSilent = view.nodes.keys.contains { !view.isAlive($0) }
        if someAreSilent, let from = context.liveness.judgesFrom, .now < from {
            return bell.ring(after: from - .now)
        }
        try await tellLosses(in: view, lead: lead)
        try await applyPlan(in: view, lead: lead)
        try await tellWaits(in: view, lead: lead)
        if !silentSince.isEmpty || !waitsSince.isEmpty {
            bell.ring(after: context.settings.times.retry)
        }
    }

    /// Who should lead: a voter, or whoever joined first where no voter lives.
    static func firstInLine(_ view: RecordsView) -> NodeID? {
        let alive = view.nodesByNumber.filter { view.isAlive($0.id) }
        for role in [NodeRecord.Role.sds, .backup1, .backup2] {
            if let node = alive.first(where: { $0.role == role }) { return node.id }
        }
        return alive.first?.id
    }

    private func takeLead(_ lease: LeaseID) async throws {
        let record = LeadRecord(
            node: context.node, incarnation: context.settings.incarnation)
        guard try await context.store.create(Keys.lead, record: record, lease: lease) else {
            return
        }
        await context.event(.leadTaken, "node \(context.node.short) leads the cluster")
    }

    private func beginLeading() {
        leads = true
        silentSince = [:]
        waitsSince = [:]
    }

    /// A transaction of the lead; false when the lead or a record has changed.
    func commit(
        lead: Stored<LeadRecord>, if comparisons: [Transaction.Comparison],
        then operations: [Transaction.Operation]
    ) async throws -> Bool {
        let result = try await context.store.transaction(Transaction(
            if: [.unchanged(lead.entry.key, since: lead.entry)] + comparisons,
            then: operations))
        if result.succeeded { await context.board.wait(for: result.revision) }
        return result.succeeded
    }
}

// What the lead tells of.
extension LeadKeeper {
    private func tellLosses(in view: RecordsView, lead: Stored<LeadRecord>) async throws {
        let now = ContinuousClock.now
        for node in view.nodesByNumber {
            if view.isAlive(node.id) {
                silentSince[node.id] = nil
                guard view.lost[node.id] != nil else { continue }
                if try await commit(lead: lead, if: [], then: [.delete(Keys.lost(node.id))]) {
                    await context.event(
                        .nodeBack, "node \(node.name) (\(node.id.short)) is back")
                }
            } else {
                silentSince[node.id] = silentSince[node.id] ?? now
                guard view.lost[node.id] == nil else { continue }
                let lost = LostNode(node: node.id, since: Date().timeIntervalSince1970)
                let put = try Transaction.Operation.put(Keys.lost(node.id), record: lost)
                if try await commit(lead: lead, if: [], then: [put]) {
                    await context.event(
                        .nodeLost, "node \(node.name) (\(node.id.short)) is unreachable")
                }
            }
        }
        silentSince = silentSince.filter { view.nodes[$0.key] != nil }
    }

    /// A volume that waits for longer than a moment says so, until it does not.
    private func tellWaits(in view: RecordsView, lead: Stored<LeadRecord>) async throws {
        let nodes = schedulingView(view).nodes
        let now = ContinuousClock.now
        for volume in view.volumesByNumber {
            guard let record = view.configurations[volume.id]?.record else { continue }
            let key = Keys.wait(volume.id)
            if let wait = describeWait(config: record, wanted: volume, nodes: nodes) {
                let since = waitsSince[volume.id] ?? now
                waitsSince[volume.id] = since
                guard now >= since + context.settings.times.liveness,
                    view.waits[volume.id]?.waitsFor != wait.what
                else { continue }
                let told = OwnerlessWait(
                    volume: volume.id, waitsFor: wait.what,
                    since: view.waits[volume.id]?.since ?? Date().timeIntervalSince1970,
                    endsWith: wait.endsWith)
                let put = try Transaction.Operation.put(key, record: told)
                if try await commit(lead: lead, if: [], then: [put]) {
                    await context.event(
                        .volumeWaits, "\(volume.eventName) waits for \(wait.what); this ends"
                            + " when \(wait.endsWith)")
                }
            } else {
                waitsSince[volume.id] = nil
                guard view.waits[volume.id] != nil else { continue }
                if try await commit(lead: lead, if: [], then: [.delete(key)]) {
                    await context.event(.waitEnded, "\(volume.eventName) waits no more")
                }
            }
        }
        waitsSince = waitsSince.filter { view.wanted[$0.key] != nil }
    }
}

// The scheduler's decisions.
extension LeadKeeper {
    private func schedulingView(_ view: RecordsView) -> Scheduling.ClusterView {
        view.forScheduling(times: context.settings.times) { node in
            silentSince[node].map { ContinuousClock.now - $0 } ?? .zero
        }
    }

    private func applyPlan(in view: RecordsView, lead: Stored<LeadRecord>) async throws {
        let changes = plan(schedulingView(view))
        try await applyRoles(changes, in: view, lead: lead)
        for change in changes {
            switch change {
            case .setRole: break
            case .setPlacement(let volume, _), .park(let volume, _, _),
                .setRebuildTo(let volume, _):
                try await apply(change, to: volume, lead: lead)
            case .removeRecords(let volume, let stones):
                try await remove(volume, stones, in: view, lead: lead)
            }
        }
    }

    private func applyRoles(
        _ changes: [SchedulerChange], in view: RecordsView, lead: Stored<LeadRecord>
    ) async throws {
        var comparisons: [Transaction.Comparison] = []
        var operations: [Transaction.Operation] = []
        var texts: [String] = []
        for case .setRole(let id, let role) in changes {
            guard let stored = view.nodes[id] else { continue }
            var node = stored.record
            texts.append("role of node \(node.name) moved: \(node.role.rawValue) to"
                + " \(role.rawValue)")
            node.role = role
            comparisons.append(.unchanged(stored.entry.key, since: stored.entry))
            operations.append(try .put(stored.entry.key, record: node))
        }
        guard !operations.isEmpty else { return }
        guard try await commit(lead: lead, if: comparisons, then: operations) else { return }
        for text in texts { await context.event(.roleMoved, text) }
    }

    /// By the records as they are now: several changes of one plan may be about one volume.
    private func apply(
        _ change: SchedulerChange, to volume: VolumeID, lead: Stored<LeadRecord>
    ) async throws {
        guard let stored = context.view.wanted[volume] else { return }
        var record = stored.record.applying(change)
        if record.attachTo == nil { record.isExportOnly = false }
        guard record != stored.record else { return }
        let put = try Transaction.Operation.put(stored.entry.key, record: record)
        let isDone = try await commit(
            lead: lead, if: [.unchanged(stored.entry.key, since: stored.entry)], then: [put])
        // One that ended in order has told so itself.
        let isReleased = context.view.configurations[volume]?.record.released ?? true
        if isDone, let dead = stored.record.attachTo, record.attachTo == nil, !isReleased {
            await context.volumeLeft(record, deadNode: dead)
        }
    }

    private func remove(
        _ volume: VolumeID, _ stones: [Tombstone], in view: RecordsView,
        lead: Stored<LeadRecord>
    ) async throws {
        guard let wanted = view.wanted[volume], let record = view.configurations[volume] else {
            return
        }
        var operations: [Transaction.Operation] = [
            .delete(wanted.entry.key), .delete(record.entry.key), .delete(Keys.status(volume)),
            .delete(Keys.wait(volume)), .delete(Keys.name(wanted.record.name)),
            .delete(Keys.vdisk(wanted.record.vdisk)), .delete(Keys.shortID(volume)),
            .deletePrefix(Keys.copies(of: volume)),
            .deletePrefix(Keys.created + volume.text + "/"),
        ]
        for stone in stones { operations.append(try .put(Keys.tombstone(stone), record: stone)) }
        let isDone = try await commit(
            lead: lead,
            if: [
                .unchanged(wanted.entry.key, since: wanted.entry),
                .unchanged(record.entry.key, since: record.entry),
            ], then: operations)
        if isDone { await context.event(.volumeDeleted, "\(wanted.record.eventName) deleted") }
    }
}
