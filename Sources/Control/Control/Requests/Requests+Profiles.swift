import API
import FoundationEssentials
import Metadata
import Profiles
import Records

// Profiles: read from the store itself, since only the making of volumes needs them.
extension Requests {
    public func profiles() async throws -> ProfileList {
        let what = "List profiles"
        do {
            let stored = try await context.store.records(
                prefix: Keys.profiles, as: ProfileRecord.self).records
            return ProfileList(profiles: stored.map { Self.show($0.record) })
        } catch { throw failure(error, of: what) }
    }

    public func profile(_ name: String) async throws -> ProfileDetails {
        let what = "Show profile \(name)"
        let record = try await profileRecord(name, what)
        return ProfileDetails(
            profile: Self.show(record), attributes: try Self.attributes(record.yaml, what))
    }

    public func create(_ request: CreateProfileRequest) async throws -> ProfileResult {
        let what = "Add profile \(request.name)"
        if let defect = VolumeInput.nameDefect(request.name) {
            throw RequestError(.invalid, what, why: defect)
        }
        // Everything that a volume of it could be refused for is refused now.
        _ = try VolumeInput(Self.attributes(request.yaml, what), what: what)
        let record = ProfileRecord(
            name: request.name, yaml: request.yaml, since: Date().timeIntervalSince1970)
        do {
            guard try await context.store.create(Keys.profile(request.name), record: record) else {
                throw RequestError(
                    .conflict, what, why: "there is a profile of that name already",
                    next: "cio profile rm \(request.name), or choose another name")
            }
        } catch { throw failure(error, of: what) }
        return ProfileResult(message: what)
    }

    public func removeProfile(_ name: String) async throws -> ProfileResult {
        let what = "Remove profile \(name)"
        do {
            guard try await context.store.delete(Keys.profile(name)) else {
                throw Self.noProfile(name, what)
            }
        } catch { throw failure(error, of: what) }
        return ProfileResult(message: what)
    }

    /// The request with what it leaves out from its profile.
    func withProfile(
        _ request: CreateVolumeRequest, _ what: String
    ) async throws -> CreateVolumeRequest {
        guard let name = request.profile else { return request }
        let record = try await profileRecord(name, what)
        return request.filled(from: try Self.attributes(record.yaml, what))
    }

    private func profileRecord(_ name: String, _ what: String) async throws -> ProfileRecord {
        do {
            let stored = try await context.store.record(
                Keys.profile(name), as: ProfileRecord.self)
            guard let stored else { throw Self.noProfile(name, what) }
            return stored.record
        } catch { throw failure(error, of: what) }
    }

    private static func noProfile(_ name: String, _ what: String) -> RequestError {
        RequestError(
            .notFound, what, why: "there is no profile \(name)",
            next: "cio profile ls shows those there are")
    }

    private static func show(_ record: ProfileRecord) -> ProfileView {
        ProfileView(name: record.name, since: record.since, yaml: record.yaml)
    }

    private static func attributes(
        _ yaml: String, _ what: String
    ) throws -> CreateVolumeRequest {
        do {
            let profile = try Profile(yaml: yaml)
            return CreateVolumeRequest(
                capacityGB: profile.capacityGB, level: profile.level,
                filesystem: profile.filesystem, directory: profile.directory,
                provision: profile.provision, type: profile.type, labels: profile.labels,
                iopsMin: profile.iopsMin, iopsMax: profile.iopsMax,
                bandwidthMin: profile.bandwidthMin, bandwidthMax: profile.bandwidthMax,
                autoexpand: profile.autoexpand, autoexpandThreshold: profile.autoexpandThreshold,
                autoexpandIncrement: profile.autoexpandIncrement,
                autoexpandLimit: profile.autoexpandLimit)
        } catch { throw RequestError(.invalid, what, why: "\(error)") }
    }
}

extension CreateVolumeRequest {
    /// What is given here counts; `others` gives the rest.
    func filled(from others: CreateVolumeRequest) -> CreateVolumeRequest {
        var filled = self
        filled.capacityGB = capacityGB ?? others.capacityGB
        // The nodes that were named say how many copies there are.
        filled.level = level ?? (copiesOn == nil ? others.level : nil)
        filled.filesystem = filesystem ?? others.filesystem
        filled.directory = directory ?? others.directory
        filled.provision = provision ?? others.provision
        filled.type = type ?? others.type
        if let more = others.labels {
            filled.labels = more.merging(labels ?? [:]) { _, own in own }
        }
        filled.iopsMin = iopsMin ?? others.iopsMin
        filled.iopsMax = iopsMax ?? others.iopsMax
        filled.bandwidthMin = bandwidthMin ?? others.bandwidthMin
        filled.bandwidthMax = bandwidthMax ?? others.bandwidthMax
        filled.autoexpand = autoexpand ?? others.autoexpand
        filled.autoexpandThreshold = autoexpandThreshold ?? others.autoexpandThreshold
        filled.autoexpandIncrement = autoexpandIncrement ?? others.autoexpandIncrement
        filled.autoexpandLimit = autoexpandLimit ?? others.autoexpandLimit
        return filled
    }
}
