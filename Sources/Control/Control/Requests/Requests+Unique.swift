import API
import Records
import Units

// A volume that is to be there, whoever makes it.
extension Requests {
    /// Creates a volume, or finds it there with every property that the request names: of several
    /// nodes that ask for the same one at once, one makes it, and all succeed.
    public func createUnlessThere(_ request: CreateVolumeRequest) async throws {
        let what = "Add volume" + (request.name.map { " \($0)" } ?? "")
        let input = try VolumeInput(request, what: what)
        guard let name = input.name else {
            throw RequestError(.invalid, what, why: "it has no name")
        }
        // The second time somebody else was faster, and the third it was removed in between.
        for _ in 0..<3 {
            if let present = try await present(name) {
                return try check(present, against: input, request, what)
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

    /// Only what was asked for is compared; what was left open fits any volume.
    private func check(
        _ volume: WantedVolume, against input: VolumeInput, _ request: CreateVolumeRequest,
        _ what: String
    ) throws {
        guard !volume.isDeleting else {
            throw RequestError(
                .conflict, what, why: "the volume is being removed", next: "try again")
        }
        var differences: [String] = []
        func compare(_ name: String, _ isAsked: Bool, _ has: String, _ wants: String) {
            if isAsked, has != wants { differences.append("\(name) \(has), not \(wants)") }
        }
        compare(
            "capacity", request.capacityGB != nil, "\(volume.size.gigabytes)",
            "\(input.size.gigabytes)")
        compare("level", request.level != nil, "\(volume.copies)", "\(input.copies)")
        compare(
            "filesystem", request.filesystem != nil, volume.filesystem.rawValue,
            input.filesystem.rawValue)
        compare(
            "provision", request.provision != nil, volume.provision.rawValue,
            input.provision.rawValue)
        compare("type", request.type != nil, volume.driveType.rawValue, input.driveType.rawValue)
        compare(
            "directory", request.directory != nil, volume.directory ?? "the node's own",
            input.directory ?? "")
        for (key, value) in input.labels.sorted(by: { $0.key < $1.key }) {
            compare("label \(key)", true, volume.labels[key] ?? "(none)", value)
        }
        guard differences.isEmpty else {
            throw RequestError(
                .conflict, what,
                why: "there is a volume of that name with " + differences.joined(separator: ", "),
                next: "choose another name, or leave these options out")
        }
    }
}
