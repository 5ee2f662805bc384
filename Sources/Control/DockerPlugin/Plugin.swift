import API
import Control
import Logging

/// What Docker asks of the node, done.
///
/// What it asks about is answered from what the node knows, at once. What it asks to be changed is
/// done one after the other for each volume. The plugin's own state is the set of references: it
/// is durable before Docker hears of a change, and every volume in it is held (see
/// `Requests.hold`), so that it stays here for as long as anybody uses it.
public actor Plugin {
    let volumes: any ClusterVolumes
    let host: any PluginHost
    let logger: Logger
    private let file: ReferenceFile
    private let turns = Turns()

    var references: ReferenceSet
    /// The last write of the references; the next one comes after it.
    private var saving: Task<Void, any Error>?
    /// Calls that change something, under way.
    private var changes = 0
    /// Volumes whose references a call is about to change, by id.
    var busy: Set<String> = []
    /// Mounts under way, and when the last one ended, in seconds since boot.
    var mountsUnderWay = 0
    var lastMountEnded = 0.0
    var watch = EngineWatch()
    /// Namespaces have been looked for since the start.
    var hasLooked = false

    /// What containers are given of a volume: a folder of its filesystem. Its root may hold
    /// `lost+found`, and Docker copies an image's files only into a folder that is empty.
    static let folder = "data"

    init(
        volumes: any ClusterVolumes, host: any PluginHost, file: ReferenceFile, boot: String,
        logger: Logger
    ) {
        self.volumes = volumes
        self.host = host
        self.file = file
        self.logger = logger
        references = file.load(boot: boot) { logger.warning("\($0)") }
        // Before control looks at anything: a volume in use is not given away meanwhile.
        volumes.hold(references.used)
    }

    /// - Parameters:
    ///   - stateDirectory: where the references are kept.
    ///   - boot: of the machine: references of another one count for nothing.
    ///   - dockerSocket: where Docker's own list of containers is to be had.
    public init(
        requests: Requests, stateDirectory: String, boot: String, dockerSocket: String,
        logger: Logger
    ) {
        self.init(
            volumes: requests,
            host: LinuxHost(docker: DockerEngine(socketPath: dockerSocket)),
            file: ReferenceFile(path: stateDirectory + "/docker-references.json"), boot: boot,
            logger: logger)
    }

    /// Answers one call within Docker's patience.
    func answer(_ call: PluginCall, body: [UInt8]) async throws -> PluginAnswer {
        guard call.hasBody else {
            switch call {
            case .activate: return .activated
            case .capabilities: return .capable
            default: return try await listing()
            }
        }
        let request = try MessageCoding.request(body, of: call)
        // Calls may have waited in the socket for this process.
        await volumes.waitUntilInformed(atMost: Limits.informed)
        switch call {
        case .get: return try description(of: request.name)
        case .path: return PluginAnswer(mountpoint: try found(request.name, "Path").folder ?? "")
        default: return try await change(call, request)
        }
    }

    private func change(_ call: PluginCall, _ request: PluginRequest) async throws -> PluginAnswer {
        let what = "\(call.verb) \(request.name)"
        guard changes < Limits.changesMax else {
            throw RequestError(
                .unavailable, what, why: "\(changes) calls are under way", next: "try again")
        }
        changes += 1
        defer { changes -= 1 }
        let late = RequestError(
            .timedOut, what, why: "it is not done after \(Limits.answer.components.seconds) s",
            next: "cio volume info \(request.name) says for what it waits")
        return try await Deadline.answer(within: Limits.answer, late: late) { [turns] in
            try await turns.take(request.name) { try await self.perform(call, request, what) }
        }
    }

    private func perform(
        _ call: PluginCall, _ request: PluginRequest, _ what: String
    ) async throws -> PluginAnswer {
        switch call {
        case .create:
            try await volumes.createUnlessThere(VolumeOptions.request(
                name: request.name, options: request.options, what: what))
        case .remove: try await remove(request.name, what)
        case .mount:
            return PluginAnswer(
                mountpoint: try await mount(request.name, id: checkedID(request, what), what))
        case .unmount: try await unmount(request.name, id: checkedID(request, what), what)
        default: preconditionFailure("\(call) changes nothing")
        }
        return .done
    }

    private func checkedID(_ request: PluginRequest, _ what: String) throws -> String {
        guard let id = request.id, !id.isEmpty else {
            throw RequestError(.invalid, what, why: "the body lacks the field ID")
        }
        guard id.utf8.count <= Limits.idBytesMax,
            id.utf8.allSatisfy({ $0 > 0x20 && $0 != 0x7f }),
            !id.hasPrefix(ReferenceSet.foundPrefix)
        else {
            throw RequestError(.invalid, what, why: "the field ID is none that Docker gives")
        }
        return id
    }
}

// Answers from what the node knows.
extension Plugin {
    private func listing() async throws -> PluginAnswer {
        await volumes.waitUntilInformed(atMost: Limits.informed)
        // An empty list would say that there is no volume.
        guard volumes.isInformed else { throw Self.uninformed("List") }
        return PluginAnswer(volumes: volumes.standings().map {
            PluginAnswer.Volume(name: $0.name, mountpoint: $0.folder ?? "")
        })
    }

    private func description(of name: String) throws -> PluginAnswer {
        let volume = try found(name, "Get")
        var status = [
            "vdisk": "vd\(volume.vdisk)", "uuid": String(volume.id.prefix(8)),
            "capacity": "\(volume.sizeGB)GB", "filesystem": volume.filesystem,
            "copies": "\(volume.copiesInSync) of \(volume.copies) in sync",
            "node": volume.attachedTo ?? "",
        ]
        if let wait = volume.waitsFor { status["waits for"] = wait }
        return PluginAnswer(volume: PluginAnswer.Volume(
            name: volume.name, mountpoint: volume.folder ?? "", status: status))
    }

    func found(_ name: String, _ verb: String) throws -> VolumeStanding {
        guard let volume = volumes.standing(named: name) else {
            guard volumes.isInformed else { throw Self.uninformed("\(verb) \(name)") }
            throw RequestError(
                .notFound, "\(verb) \(name)", why: "there is no volume \(name)")
        }
        return volume
    }

    private static func uninformed(_ what: String) -> RequestError {
        RequestError(
            .unavailable, what, why: "this node has not read the cluster's records yet",
            next: "try again")
    }
}

// References.
extension Plugin {
    /// Returns when what is in memory is durable.
    func save() async throws {
        let (set, file, previous) = (references, file, saving)
        volumes.hold(set.used)
        let task = Task {
            _ = await previous?.result
            let failure = await Blocking.run { () -> ReferenceFile.Failure? in
                do throws(ReferenceFile.Failure) {
                    try file.save(set)
                    return nil
                } catch {
                    return error
                }
            }
            if let failure { throw failure }
        }
        saving = task
        try await task.value
    }

    /// Where nothing is to be done about a failure: the set as it was is the more careful one.
    func saveOrTell() async {
        do { try await save() } catch { logger.warning("\(error)") }
    }
}

extension VolumeStanding {
    /// What containers are given; nil while it is not mounted here.
    var folder: String? { mountPoint.map { "\($0)/\(Plugin.folder)" } }
}

extension PluginCall {
    /// `Mount`, as error messages have it.
    var verb: String { String(rawValue.split(separator: ".").last ?? "") }
}
