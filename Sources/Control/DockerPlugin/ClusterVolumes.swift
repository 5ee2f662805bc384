import API
import Control

/// The cluster's volumes, as the plugin needs them.
protocol ClusterVolumes: Sendable {
    /// Whether this node has read the cluster's records: before that, nothing is there.
    var isInformed: Bool { get }
    func waitUntilInformed(atMost limit: Duration) async
    // From what this node knows; these never wait.
    func standings() -> [VolumeStanding]
    func standing(named name: String) -> VolumeStanding?
    func standing(id: String) -> VolumeStanding?

    func createUnlessThere(_ request: CreateVolumeRequest) async throws
    func removeVolume(_ name: String) async throws
    func bring(_ name: String, atMost limit: Duration) async throws -> VolumeStanding
    func letGo(_ id: String, atMost limit: Duration) async throws
    func hold(_ volumes: Set<String>)
    func askOfEngine(_ question: @escaping @Sendable () async -> EngineLife)
    func tellUsersGone(_ id: String, _ count: Int) async
}

extension Requests: ClusterVolumes {
    func removeVolume(_ name: String) async throws { _ = try await remove(name) }
}

/// The machine, as the plugin needs it. Every step may block, and runs apart from async Swift.
protocol PluginHost: Sendable {
    /// Makes the folder below a mounted filesystem that containers are given.
    func prepare(_ folder: String) async throws
    /// The mount namespaces that hold the containers' folder of each volume, by its id.
    func holders(of volumes: [VolumeStanding]) async -> [String: Set<String>]
    /// Names of volumes that Docker lists as in use; nil where it cannot be asked.
    func listedVolumes() async -> Set<String>?
    /// Where Docker is to be reached.
    var enginePath: String { get }
    /// Whether anybody is there now.
    func engineSign() async -> EngineSign
    /// Seconds since boot.
    func now() -> Double
}
