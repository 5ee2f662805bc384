import API
import Metadata
import Records
import Scheduling
import Units

// Making and removing volumes.
extension Requests {
    /// Numbers and ids may be taken by others while we choose.
    private static let triesMax = 32
    /// How long a new volume is waited for; it is there in any case.
    private static let openPatience = Duration.seconds(5)

    public func create(_ request: CreateVolumeRequest) async throws -> OperationResult {
        let what = "Add volume" + (request.name.map { " \($0)" } ?? "")
        let request = try await withProfile(request, what)
        let input = try VolumeInput(request, what: what)
        do {
            for _ in 0..<Self.triesMax {
                let view = context.view
                guard view.cluster != nil else { break }
                if let name = input.name, view.volume(named: name) != nil {
                    throw RequestError(
                        .conflict, what, why: "there is a volume of that name already",
                        next: "choose another name")
                }
                let volume = try plan(input, request, what, in: view)
                let result = try await context.store.transaction(try creation(of: volume))
                guard result.succeeded else {
                    try await Task.sleep(for: .milliseconds(20))
                    continue
                }
                await context.board.wait(for: result.revision)
                return try await opened(volume)
            }
        } catch {
            throw failure(error, of: what)
        }
        throw RequestError(
            .unavailable, what, why: "the cluster's records cannot be had", next: "try again")
    }

    private func opened(_ volume: WantedVolume) async throws -> OperationResult {
        await context.event(
            .volumeAdded, "\(volume.eventName) added: \(volume.copies)-copy,"
                + " \(volume.size.gigabytes)GB")
        _ = try await context.board.wait(atMost: Self.openPatience) { view in
            (view.configurations[volume.id]?.record.epoch ?? 0) > 0 ? true : nil
        }
        return OperationResult(
            message: "Add vd\(volume.vdisk): Type:\(volume.copies)-copy,"
                + " Size:\(volume.size.gigabytes)GB",
            volume: show(volume, in: context.view))
    }

    private func plan(
        _ input: VolumeInput, _ request: CreateVolumeRequest, _ what: String,
        in view: RecordsView
    ) throws -> WantedVolume {
        let owner = try request.node.map { try liveNode($0, in: view, for: what).id }
        let named = try request.copiesOn.map { names in
            try names.map { try node($0, in: view, for: what).id }
        }
        let cluster = view.forScheduling(times: context.settings.times) { _ in .zero }
        let provisioned = Provisioning(cluster.volumes)
        let places: Result<[Place], PlacementError>
        if let named {
            places = place(
                copiesOn: named, size: input.size, type: input.driveType, nodes: cluster.nodes,
                provisioned: provisioned, provision: input.provision)
        } else {
            places = place(
                copies: input.copies, size: input.size, type: input.driveType,
                ownerNode: owner ?? context.node, nodes: cluster.nodes,
                provisioned: provisioned, provision: input.provision)
        }
        guard case .success(let placement) = places else {
            guard case .failure(let error) = places else { fatalError() }
            throw RequestError(.conflict, what, why: error.description)
        }
        let taken = Set(view.wanted.values.map(\.record.vdisk))
        let number = (1...).first { !taken.contains($0) }!
        return WantedVolume(
            id: freshID(in: view), name: input.name ?? "vd\(number)", vdisk: number,
            size: input.size, copies: input.copies, filesystem: input.filesystem,
            provision: input.provision, driveType: input.driveType,
            directory: input.directory, labels: input.labels, service: input.service,
            autoexpand: input.autoexpand, placement: placement,
            placementIsFixed: named != nil, parkedAt: owner ?? placement[0].node)
    }

    /// Its first 8 digits are those of no volume, and of no copy that has still to be deleted.
    private func freshID(in view: RecordsView) -> VolumeID {
        var taken = Set(view.wanted.keys.map(\.short))
        for stone in view.tombstones.values { taken.insert(stone.record.volume.short) }
        while true {
            let id = VolumeID.random()
            if !taken.contains(id.short) { return id }
        }
    }

    private func creation(of volume: WantedVolume) throws -> Transaction {
        let replicas = volume.placement.map {
            ReplicaRecord(id: .random(), node: $0.node, drive: $0.drive, state: .inSync)
        }
        let record = VolumeConfiguration(
            volume: volume.id, epoch: 0, owner: nil, released: true, nonce: .random(),
            replicas: replicas)
        let unique = [
            Keys.name(volume.name), Keys.vdisk(volume.vdisk), Keys.shortID(volume.id),
        ]
        return Transaction(
            if: unique.map { .absent($0) },
            then: try unique.map { try .put($0, record: volume.id) } + [
                try .put(Keys.wanted(volume.id), record: volume),
                try .put(Keys.configuration(volume.id), record: record),
            ])
    }

    public func remove(_ selector: String) async throws -> OperationResult {
        let volume = try volume(selector, in: context.view, for: "Remove \(selector)")
        let what = "Remove vd\(volume.vdisk)"
        do {
            try await change(volume, what) { record, view in
                if let holder = record.attachTo, view.isAlive(holder) {
                    throw RequestError(
                        .conflict, what, why: "vdisk is attached at node"
                            + " \(view.name(of: holder))",
                        next: "cio volume detach \(record.name)")
                }
                record.isDeleting = true
                record.attachTo = nil
                record.mount = false
                record.parkedAt = nil
            }
            _ = try await context.board.wait(atMost: .seconds(10)) { view in
                view.wanted[volume.id] == nil ? true : nil
            }
        } catch {
            throw failure(error, of: what)
        }
        return OperationResult(message: what)
    }

    func liveNode(
        _ selector: String, in view: RecordsView, for what: String
    ) throws -> NodeRecord {
        let node = try node(selector, in: view, for: what)
        guard view.isAlive(node.id) else {
            throw RequestError(
                .conflict, what, why: "node \(node.name) is unreachable",
                next: "choose another node")
        }
        return node
    }

    /// Changes what is wanted of a volume, and waits until this node's view has it.
    func change(
        _ volume: WantedVolume, _ what: String,
        _ body: (inout WantedVolume, RecordsView) throws -> Void
    ) async throws {
        let view = context.view
        let stored = try await context.store.update(
            Keys.wanted(volume.id), as: WantedVolume.self
        ) { record in
            guard let record, !record.isDeleting else {
                throw RequestError(.notFound, what, why: "the volume is being removed")
            }
            var changed = record
            try body(&changed, view)
            return changed == record ? nil : changed
        }
        if let stored { await context.board.wait(for: stored.entry.modRevision) }
    }
}
