import API
@testable import Control
import Synchronization

@testable import DockerPlugin

/// Stands in for the cluster: volumes that come and go at once.
final class FakeVolumes: ClusterVolumes {
    struct State {
        var volumes: [String: VolumeStanding] = [:]
        var held: Set<String> = []
        var isInformed = true
        var recordsCome = false
        /// What `bring` fails with.
        var refusal: RequestError?
        /// `bring` and `letGo`, as they came.
        var steps: [String] = []
        var usersGone = 0
        /// Whether this node's Docker lives.
        var question: (@Sendable () async -> EngineLife)?
        /// Whatever is held while it is let go: never, unless the plugin is wrong.
        var letGoWhileHeld = 0
    }

    let state = Mutex(State())

    var held: Set<String> { state.withLock { $0.held } }
    var steps: [String] { state.withLock { $0.steps } }
    var isInformed: Bool { state.withLock { $0.isInformed } }

    /// The records come as soon as somebody waits for them, unless they never do.
    func waitUntilInformed(atMost limit: Duration) async {
        state.withLock { $0.isInformed = $0.isInformed || $0.recordsCome }
    }

    func add(_ name: String, attachedTo node: String? = nil) {
        state.withLock { state in
            state.volumes[name] = VolumeStanding(
                id: "id-\(name)", name: name, vdisk: state.volumes.count + 1, attachedTo: node,
                isWantedHere: node == "here", isElsewhere: false, sizeGB: 20, copies: 2,
                copiesInSync: 2, filesystem: "xfs")
        }
    }

    /// Another node has taken it over.
    func lose(_ name: String) {
        state.withLock { state in
            state.volumes[name]!.isWantedHere = false
            state.volumes[name]!.isElsewhere = true
            state.volumes[name]!.mountPoint = nil
        }
    }

    func refuse(_ error: RequestError?) { state.withLock { $0.refusal = error } }

    func standings() -> [VolumeStanding] {
        state.withLock { $0.volumes.values.sorted { $0.vdisk < $1.vdisk } }
    }
    func standing(named name: String) -> VolumeStanding? { state.withLock { $0.volumes[name] } }
    func standing(id: String) -> VolumeStanding? {
        state.withLock { $0.volumes.values.first { $0.id == id } }
    }

    func createUnlessThere(_ request: CreateVolumeRequest) async throws { add(request.name!) }
    func removeVolume(_ name: String) async throws {
        state.withLock { $0.volumes[name] = nil }
    }

    func bring(_ name: String, atMost limit: Duration) async throws -> VolumeStanding {
        await Task.yield()
        return try state.withLock { state in
            state.steps.append("bring \(name)")
            if let refusal = state.refusal { throw refusal }
            guard var volume = state.volumes[name] else {
                throw RequestError(.notFound, "Mount \(name)", why: "there is no volume \(name)")
            }
            volume.isWantedHere = true
            volume.attachedTo = "here"
            volume.device = "/dev/vdisk/vd\(volume.vdisk)"
            volume.mountPoint = "/volumes/vd\(volume.vdisk)"
            state.volumes[name] = volume
            return volume
        }
    }

    func letGo(_ id: String, atMost limit: Duration) async throws {
        state.withLock { state in
            guard let name = state.volumes.first(where: { $0.value.id == id })?.key else { return }
            if state.held.contains(id) { state.letGoWhileHeld += 1 }
            state.steps.append("let go \(name)")
            state.volumes[name]!.isWantedHere = false
            state.volumes[name]!.attachedTo = nil
            state.volumes[name]!.mountPoint = nil
            state.volumes[name]!.device = nil
        }
    }

    func hold(_ volumes: Set<String>) { state.withLock { $0.held = volumes } }
    func askOfEngine(_ question: @escaping @Sendable () async -> EngineLife) {
        state.withLock { $0.question = question }
    }
    func tellUsersGone(_ id: String, _ count: Int) async {
        state.withLock { $0.usersGone += count }
    }
}

/// Stands in for the machine: containers and a clock that the test moves.
final class FakeHost: PluginHost {
    struct State {
        var prepared: [String] = []
        var holders: [String: Set<String>] = [:]
        var listed: Set<String>? = []
        var engine = EngineSign.there
        var enginePath = "/run/docker.sock"
        var now = 1_000.0
        var looks = 0
    }

    let state = Mutex(State())

    func prepare(_ folder: String) async throws { state.withLock { $0.prepared.append(folder) } }
    func holders(of volumes: [VolumeStanding]) async -> [String: Set<String>] {
        state.withLock { state in
            state.looks += 1
            return state.holders.filter { holder in volumes.contains { $0.id == holder.key } }
        }
    }
    func listedVolumes() async -> Set<String>? { state.withLock { $0.listed } }
    var enginePath: String { state.withLock { $0.enginePath } }
    func engineSign() async -> EngineSign { state.withLock { $0.engine } }
    func now() -> Double { state.withLock { $0.now } }
    func pass(_ seconds: Double) { state.withLock { $0.now += seconds } }
}
