import API
import Records
import Units

// A volume that is to be there, whoever makes it.
extension Requests {
    /// Creates a volume, or finds it there with every property that the request names: of several
    /// nodes that ask for the same one at once, one makes it, and all succeed.
    public func createUnlessThere(_ request: CreateVolumeRequest) async throws {
        let what = "Add volume" + (request.name.map { " \($0)" } ?? "")
        guard let name = request.name else {
            throw RequestError(.invalid, what, why: "it has no name")
        }
        let whole = try await withProfile(request, what)
        _ = try VolumeInput(whole, what: what)
        // The second time somebody else was faster, and the third it was removed in between.
        for _ in 0..<3 {
            if let present = try await present(name) {
                return try check(present, against: request, whole, what)
            }
            do {
                _ = try await create(request)
                return
            } catch let error as RequestError where error.kind == .conflict {
                guard context.view.volume(named: name) != nil else { throw error }
            }
        }
        throw RequestError(
            .conflict, what, why: "the volume is made and removed all the time", next: "try again")
    }

    /// One that is being removed is waited for: its name is free after that.
    private func present(_ name: String) async throws -> WantedVolume? {
        guard let volume = context.view.volume(named: name)?.record, volume.isDeleting else {
            return context.view.volume(named: name)?.record
        }
        _ = try await context.board.wait(atMost: .seconds(10)) { view in
            view.wanted[volume.id] == nil ? true : nil
        }
        return context.view.volume(named: name)?.record
    }

    /// Only what was asked for is compared; what was left open fits any volume. Of a profile only
    /// that counts which a volume keeps for life: the rest may have been changed since.
    private func check(
        _ volume: WantedVolume, against request: CreateVolumeRequest,
        _ whole: CreateVolumeRequest, _ what: String
    ) throws {
        guard !volume.isDeleting else {
            throw RequestError(
                .conflict, what, why: "the volume is being removed", next: "try again")
        }
        var differences: [String] = []
        func compare<Value: Equatable>(_ name: String, _ has: Value, _ wants: Value?) {
            if let wants, has != wants { differences.append("\(name) \(has), not \(wants)") }
        }
        compare("level", volume.copies, whole.level)
        compare("filesystem", volume.filesystem.rawValue, whole.filesystem)
        compare("provision", volume.provision.rawValue, whole.provision)
        compare("type", volume.driveType.rawValue, whole.type)
        compare("capacity", volume.size.gigabytes, request.capacityGB)
        compare("directory", volume.directory ?? "(the node's own)", request.directory)
        compare("iopsmin", volume.service.iopsMin ?? 0, request.iopsMin)
        compare("iopsmax", volume.service.iopsMax ?? 0, request.iopsMax)
        compare("bandwidthmin", volume.service.bandwidthMin ?? 0, request.bandwidthMin)
        compare("bandwidthmax", volume.service.bandwidthMax ?? 0, request.bandwidthMax)
        for (key, value) in (request.labels ?? [:]).sorted(by: { $0.key < $1.key }) {
            compare("label \(key)", volume.labels[key] ?? "(none)", value)
        }
        guard differences.isEmpty else {
            throw RequestError(
                .conflict, what,
                why: "there is a volume of that name with " + differences.joined(separator: ", "),
                next: "choose another name, or leave these options out")
        }
    }
}
