import API
import Records
import Units

// Attaching, detaching, moving, rebuilding.
extension Requests {
    public static let waitSecondsDefault = 60
    public static let waitSecondsMax = 600

    public func attach(
        _ selector: String, _ request: AttachRequest
    ) async throws -> OperationResult {
        let view = context.view
        let volume = try volume(selector, in: view, for: "Attach \(selector)")
        let what = "Attach vd\(volume.vdisk)"
        let limit = try patience(request.waitSeconds, what)
        let target = try request.node.map { try liveNode($0, in: view, for: what).id }
            ?? context.node
        let mount = request.mount ?? false
        var former: NodeID?
        do {
            try await change(volume, what) { record, view in
                former = record.attachTo
                try self.order(&record, at: target, mount: mount, what, in: view)
            }
            if let former, former != target {
                await context.volumeLeft(volume, deadNode: former)
            }
            let reached = try await wait(for: volume, atMost: limit, what) { wanted, view in
                guard wanted.attachTo == target else { throw self.isOpen(what) }
                guard let status = view.statuses[volume.id], status.node == target else {
                    return false
                }
                if let failure = status.failure {
                    throw RequestError(.conflict, what, why: failure)
                }
                return status.device != nil && (!mount || status.isMounted)
            }
            let word = mount ? "mounted" : "attached"
            return OperationResult(
                message: "\(what) at \(context.view.name(of: target)): "
                    + (reached.mountPoint ?? reached.device ?? word), volume: shown(volume))
        } catch let error as RequestError where error.kind == .conflict {
            await takeBack(volume, target, mount: mount)
            throw error
        } catch {
            throw failure(error, of: what)
        }
    }

    private func order(
        _ record: inout WantedVolume, at target: NodeID, mount: Bool, _ what: String,
        in view: RecordsView
    ) throws {
        if let holder = record.attachTo, holder != target, view.isAlive(holder) {
            throw RequestError(
                .conflict, what, why: "vdisk is attached at node \(view.name(of: holder))",
                next: "cio volume move \(record.name) -n \(view.name(of: target))")
        }
        let isHere = record.attachTo == target
        if isHere, record.isExportOnly, mount, view.statuses[record.id]?.isAttached ?? false {
            throw RequestError(
                .conflict, what, why: "vdisk is opened by network clients",
                next: "close them first")
        }
        record.attachTo = target
        record.broughtTo = nil
        record.mount = isHere && !record.isExportOnly ? record.mount || mount : mount
        record.isExportOnly = false
    }

    /// An attachment that cannot be had is not tried for ever.
    private func takeBack(_ volume: WantedVolume, _ target: NodeID, mount: Bool) async {
        do {
            try await change(volume, "Attach") { record, _ in
                guard record.attachTo == target, volume.attachTo != target || !volume.mount
                else { return }
                record.mount = volume.attachTo == target && volume.mount
                if volume.attachTo != target {
                    record.attachTo = nil
                    record.parkedAt = target
                }
            }
        } catch {
            context.logger.warning("an attachment that failed stays wanted: \(error)")
        }
    }

    public func detach(
        _ selector: String, _ request: DetachRequest
    ) async throws -> OperationResult {
        let volume = try volume(selector, in: context.view, for: "Detach \(selector)")
        let what = "Detach vd\(volume.vdisk)"
        let limit = try patience(request.waitSeconds, what)
        do {
            try await change(volume, what) { record, view in
                guard let holder = record.attachTo else {
                    throw RequestError(.conflict, what, why: "vdisk is not attached")
                }
                record.attachTo = nil
                record.mount = false
                record.isExportOnly = false
                record.parkedAt = view.isAlive(holder) ? holder : nil
            }
            _ = try await wait(for: volume, atMost: limit, what) { wanted, view in
                guard wanted.attachTo == nil else { throw self.isOpen(what) }
                let status = view.statuses[volume.id]
                return status.map { !$0.isAttached && !$0.isMounted } ?? true
            }
            return OperationResult(message: what, volume: shown(volume))
        } catch {
            throw failure(error, of: what)
        }
    }

    public func move(_ selector: String, _ request: MoveRequest) async throws -> OperationResult {
        let view = context.view
        let volume = try volume(selector, in: view, for: "Move \(selector)")
        let what = "Move vd\(volume.vdisk)"
        let limit = try patience(request.waitSeconds, what)
        let target = try liveNode(request.node, in: view, for: what).id
        let source = ownerNode(of: volume, in: view)
        guard source != target else {
            throw RequestError(
                .conflict, what, why: "it is at node \(view.name(of: target)) already")
        }
        do {
            try await change(volume, what) { record, view in
                guard record.attachTo != nil else {
                    record.parkedAt = target
                    return
                }
                if record.isExportOnly, view.statuses[record.id]?.isAttached ?? false {
                    throw self.isOpen(what)
                }
                record.attachTo = target
                record.broughtTo = nil
            }
            _ = try await wait(for: volume, atMost: limit, what) { wanted, view in
                guard wanted.wantedOwner == target else { throw self.isOpen(what) }
                guard let status = view.statuses[volume.id], status.node == target,
                    view.configurations[volume.id]?.record.owner?.node == target,
                    status.waitsFor == nil
                else { return false }
                if let failure = status.failure {
                    throw RequestError(.conflict, what, why: failure)
                }
                let needsDevice = wanted.attachTo == target && !wanted.isExportOnly
                return !needsDevice || status.device != nil && (!wanted.mount || status.isMounted)
            }
            let from = source.map { " from \($0.short)" } ?? ""
            return OperationResult(
                message: "\(what)\(from) to \(target.short)", volume: shown(volume))
        } catch {
            throw failure(error, of: what)
        }
    }

    public func rebuild(
        _ selector: String, _ request: RebuildRequest
    ) async throws -> OperationResult {
        let view = context.view
        let volume = try volume(selector, in: view, for: "Rebuild \(selector)")
        let what = "Rebuild vd\(volume.vdisk)"
        let target: NodeID
        switch (request.local ?? false, request.to) {
        case (true, nil):
            guard let owner = ownerNode(of: volume, in: view) else {
                throw RequestError(.conflict, what, why: "it has no owner now")
            }
            target = owner
        case (false, let name?): target = try liveNode(name, in: view, for: what).id
        default:
            throw RequestError(
                .invalid, what, why: "either local or a node is asked for",
                next: "use --local or --to NODE")
        }
        let holds = view.configurations[volume.id]?.record.inSync.contains { $0.node == target }
        if holds ?? false {
            throw RequestError(
                .conflict, what, why: "node \(view.name(of: target)) holds a copy in sync already")
        }
        do {
            try await change(volume, what) { record, _ in record.rebuildTo = target }
        } catch {
            throw failure(error, of: what)
        }
        return OperationResult(
            message: "\(what): a copy on node \(view.name(of: target)) is ordered",
            volume: shown(volume))
    }
}

// Waiting for what was asked.
extension Requests {
    private func isOpen(_ what: String) -> RequestError {
        RequestError(.conflict, what, why: "vdisk is opened")
    }

    private func patience(_ seconds: Int?, _ what: String) throws -> Duration {
        let seconds = seconds ?? Self.waitSecondsDefault
        guard (0...Self.waitSecondsMax).contains(seconds) else {
            throw RequestError(
                .invalid, what, why: "it waits for 0 to \(Self.waitSecondsMax) seconds, not"
                    + " \(seconds)")
        }
        return .seconds(seconds)
    }

    func shown(_ volume: WantedVolume) -> VolumeView? {
        let view = context.view
        return view.wanted[volume.id].map { show($0.record, in: view) }
    }

    /// Waits until `condition` holds. What was ordered goes on when the time is over.
    private func wait(
        for volume: WantedVolume, atMost limit: Duration, _ what: String,
        _ condition: (WantedVolume, RecordsView) throws -> Bool
    ) async throws -> VolumeStatus {
        let status = try await context.board.wait(atMost: limit) { view -> VolumeStatus? in
            guard let wanted = view.wanted[volume.id]?.record else {
                throw RequestError(.notFound, what, why: "the volume was removed")
            }
            guard try condition(wanted, view) else { return nil }
            return view.statuses[volume.id] ?? VolumeStatus(volume: volume.id, node: .zero)
        }
        if let status { return status }
        let waiting = shown(volume)?.wait
        let why = waiting.map { "it waits for \($0.forWhat)" } ?? "it is not done yet"
        throw RequestError(
            .timedOut, what, why: "\(why) after \(limit.components.seconds) s; it goes on",
            next: waiting.map { "this ends when \($0.endsWith)" })
    }
}
