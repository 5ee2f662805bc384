import API
import Records
import Units

// Changing a volume that is there.
extension Requests {
    /// How long growth is waited for; it goes on in any case.
    private static let growthPatience = Duration.seconds(30)

    public func update(
        _ selector: String, _ request: UpdateVolumeRequest
    ) async throws -> OperationResult {
        let volume = try volume(selector, in: context.view, for: "Update \(selector)")
        let what = "Update vd\(volume.vdisk)"
        guard request != UpdateVolumeRequest() else {
            throw RequestError(
                .invalid, what, why: "nothing is to be changed",
                next: "say what: its capacity, a limit, a label or autoexpand")
        }
        var told: [String] = []
        do {
            try await change(volume, what) { record, _ in
                var update = VolumeUpdate(record, what)
                try update.apply(request)
                record = update.volume
                told = update.told
            }
            if request.capacityGB != nil || request.growGB != nil {
                try await awaitGrowth(of: volume.id, what)
            }
        } catch {
            throw failure(error, of: what)
        }
        return OperationResult(
            message: "\(what) \(told.joined(separator: ", "))",
            volume: try self.volume("uuid:\(volume.id.text)"))
    }

    private func awaitGrowth(of id: VolumeID, _ what: String) async throws {
        let isDone = try await context.board.wait(atMost: Self.growthPatience) { view in
            guard let wanted = view.wanted[id]?.record else { return true }
            return view.statuses[id]?.size == wanted.size ? true : nil
        }
        if isDone != nil { return }
        throw RequestError(
            .timedOut, what, why: "the volume is larger now, and nobody serves it so yet",
            next: "cio volume info tells for what it waits; it goes on by itself")
    }
}

/// One change of a volume, and what to tell of it.
private struct VolumeUpdate {
    var volume: WantedVolume
    var told: [String] = []
    private let what: String

    init(_ volume: WantedVolume, _ what: String) {
        self.volume = volume
        self.what = what
    }

    /// The capacity is told first, in the words that users know.
    mutating func apply(_ request: UpdateVolumeRequest) throws {
        try grow(request)
        set(\.iopsMin, request.iopsMin, "minimum iops", "")
        set(\.iopsMax, request.iopsMax, "maximum iops", "")
        set(\.bandwidthMin, request.bandwidthMin, "minimum bandwidth", "MiB/s")
        set(\.bandwidthMax, request.bandwidthMax, "maximum bandwidth", "MiB/s")
        label(request.labels ?? [:])
        expand(request)
        let defect = VolumeInput.defect(of: volume.service)
            ?? VolumeInput.labelDefect(volume.labels)
            ?? VolumeInput.defect(of: volume.autoexpand)
        if let defect { throw RequestError(.invalid, what, why: defect) }
    }

    private mutating func grow(_ request: UpdateVolumeRequest) throws {
        let now = volume.size.gigabytes
        let wanted: UInt64
        switch (request.capacityGB, request.growGB) {
        case (nil, nil): return
        case (let capacity?, nil): wanted = capacity
        case (nil, let more?): wanted = now + min(more, VolumeInput.capacityGBMax)
        case (_?, _?):
            throw RequestError(
                .invalid, what, why: "either its new capacity or by how much it grows, not both")
        }
        guard wanted > now else {
            throw RequestError(
                .invalid, what, why: "it has \(now)GB, and volumes never shrink",
                next: "give more than \(now)GB")
        }
        guard wanted <= VolumeInput.capacityGBMax else {
            throw RequestError(
                .invalid, what,
                why: "the capacity is at most \(VolumeInput.capacityGBMax) GB, not \(wanted)")
        }
        volume.size = ByteCount(gigabytes: wanted)
        told.append("capacity: increased to \(wanted)GB")
    }

    private mutating func set(
        _ limit: WritableKeyPath<ServiceLevel, UInt64?>, _ value: UInt64?, _ name: String,
        _ unit: String
    ) {
        guard let value else { return }
        volume.service[keyPath: limit] = value == 0 ? nil : value
        told.append(value == 0 ? "\(name): none" : "\(name): \(value)\(unit)")
    }

    private mutating func label(_ labels: [String: String]) {
        for (key, value) in labels.sorted(by: { $0.key < $1.key }) {
            volume.labels[key] = value.isEmpty ? nil : value
            told.append(value.isEmpty ? "label \(key): removed" : "label \(key)=\(value)")
        }
    }

    private mutating func expand(_ request: UpdateVolumeRequest) {
        if let isEnabled = request.autoexpand {
            // Switched on anew, it may grow as often as its limit says again.
            if isEnabled && !volume.autoexpand.isEnabled { volume.autoexpand.count = 0 }
            volume.autoexpand.isEnabled = isEnabled
            told.append("autoexpand: \(isEnabled ? "yes" : "no")")
        }
        if let threshold = request.autoexpandThreshold {
            volume.autoexpand.threshold = threshold
            told.append("autoexpand threshold: \(threshold)%")
        }
        if let increment = request.autoexpandIncrement {
            volume.autoexpand.increment = increment
            told.append("autoexpand increment: \(increment)%")
        }
        if let limit = request.autoexpandLimit {
            volume.autoexpand.limit = limit
            told.append("autoexpand limit: \(limit)")
        }
    }
}
