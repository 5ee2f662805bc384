import API
import Records

// Changing a volume that is there.
extension Requests {
    public func update(
        _ selector: String, _ request: UpdateVolumeRequest
    ) async throws -> OperationResult {
        let volume = try volume(selector, in: context.view, for: "Update \(selector)")
        let what = "Update vd\(volume.vdisk)"
        guard request != UpdateVolumeRequest() else {
            throw RequestError(
                .invalid, what, why: "nothing is to be changed",
                next: "say what: a limit or a label")
        }
        var told: [String] = []
        do {
            try await change(volume, what) { record, _ in
                told = try apply(request, to: &record, what)
            }
        } catch {
            throw failure(error, of: what)
        }
        return OperationResult(
            message: "\(what) \(told.joined(separator: ", "))",
            volume: try self.volume("uuid:\(volume.id.text)"))
    }

    /// What was changed, for the result line. May be called again, with a newer record.
    private func apply(
        _ request: UpdateVolumeRequest, to record: inout WantedVolume, _ what: String
    ) throws -> [String] {
        var told: [String] = []
        func set(
            _ limit: WritableKeyPath<ServiceLevel, UInt64?>, _ value: UInt64?, _ name: String,
            _ unit: String
        ) {
            guard let value else { return }
            record.service[keyPath: limit] = value == 0 ? nil : value
            told.append(value == 0 ? "\(name): none" : "\(name): \(value)\(unit)")
        }
        set(\.iopsMin, request.iopsMin, "minimum iops", "")
        set(\.iopsMax, request.iopsMax, "maximum iops", "")
        set(\.bandwidthMin, request.bandwidthMin, "minimum bandwidth", "MiB/s")
        set(\.bandwidthMax, request.bandwidthMax, "maximum bandwidth", "MiB/s")
        for (key, value) in (request.labels ?? [:]).sorted(by: { $0.key < $1.key }) {
            record.labels[key] = value.isEmpty ? nil : value
            told.append(value.isEmpty ? "label \(key): removed" : "label \(key)=\(value)")
        }
        let defect = VolumeInput.defect(of: record.service)
            ?? VolumeInput.labelDefect(record.labels)
        if let defect { throw RequestError(.invalid, what, why: defect) }
        return told
    }
}
