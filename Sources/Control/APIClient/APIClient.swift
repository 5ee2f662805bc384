import API
import FoundationEssentials
import NIOCore
import NIOHTTP1

/// The REST API of one node, call by call. Every call names what it is for, so that a failure
/// can say what failed; every failure is an `APIError`, the node's own or ours.
public struct APIClient: Sendable {
    private let transport: Transport

    public init(endpoint: Endpoint) { transport = Transport(endpoint: endpoint) }

    /// How long a call may take that changes nothing, or that the node does not wait in.
    private static let answerSeconds: Int64 = 30

    public func version() async throws(APIError) -> VersionInfo {
        try await get(Routes.version, "Ask for the version")
    }

    /// One node's drives only, when it is named.
    public func cluster(node: String? = nil) async throws(APIError) -> ClusterInfo {
        let query = node.map { [(name: "node", value: $0)] } ?? []
        return try await get(Routes.cluster + URLText.query(query), "Show the cluster")
    }

    public func nodes() async throws(APIError) -> [NodeView] {
        let list: NodeList = try await get(Routes.nodes, "List nodes")
        return list.nodes
    }

    public func node(_ node: String) async throws(APIError) -> NodeView {
        try await get(Routes.node(URLText.segment(node)), "Show node \(node)")
    }

    /// Those that one node owns only, when it is named.
    public func volumes(node: String? = nil) async throws(APIError) -> [VolumeView] {
        let query = node.map { [(name: "node", value: $0)] } ?? []
        let list: VolumeList = try await get(
            Routes.volumes + URLText.query(query), "List volumes")
        return list.volumes
    }

    public func volume(_ volume: String) async throws(APIError) -> VolumeView {
        try await get(Routes.volume(URLText.segment(volume)), "Show volume \(volume)")
    }

    public func create(_ request: CreateVolumeRequest) async throws(APIError) -> OperationResult {
        try await post(Routes.volumes, request, "Add \(request.name ?? "volume")")
    }

    public func update(
        _ volume: String, _ request: UpdateVolumeRequest
    ) async throws(APIError) -> OperationResult {
        try await post(Routes.update(URLText.segment(volume)), request, "Update \(volume)")
    }

    public func attach(
        _ volume: String, _ request: AttachRequest
    ) async throws(APIError) -> OperationResult {
        try await post(
            Routes.attach(URLText.segment(volume)), request, "Attach \(volume)",
            waits: request.waitSeconds)
    }

    public func detach(
        _ volume: String, _ request: DetachRequest
    ) async throws(APIError) -> OperationResult {
        try await post(
            Routes.detach(URLText.segment(volume)), request, "Detach \(volume)",
            waits: request.waitSeconds)
    }

    public func move(
        _ volume: String, _ request: MoveRequest
    ) async throws(APIError) -> OperationResult {
        try await post(
            Routes.move(URLText.segment(volume)), request, "Move \(volume)",
            waits: request.waitSeconds)
    }

    public func rebuild(
        _ volume: String, _ request: RebuildRequest
    ) async throws(APIError) -> OperationResult {
        try await post(Routes.rebuild(URLText.segment(volume)), request, "Rebuild \(volume)")
    }

    public func remove(_ volume: String) async throws(APIError) -> OperationResult {
        let what = "Remove \(volume)"
        let data = try await transport.exchange(
            .DELETE, Routes.volume(URLText.segment(volume)), timeout: .seconds(Self.answerSeconds),
            what: what)
        return try decode(data, what)
    }

    public func profiles() async throws(APIError) -> [ProfileView] {
        let list: ProfileList = try await get(Routes.profiles, "List profiles")
        return list.profiles
    }

    public func profile(_ name: String) async throws(APIError) -> ProfileDetails {
        try await get(Routes.profile(URLText.segment(name)), "Show profile \(name)")
    }

    public func create(_ request: CreateProfileRequest) async throws(APIError) -> ProfileResult {
        try await post(Routes.profiles, request, "Add profile \(request.name)")
    }

    public func removeProfile(_ name: String) async throws(APIError) -> ProfileResult {
        let what = "Remove profile \(name)"
        let data = try await transport.exchange(
            .DELETE, Routes.profile(URLText.segment(name)), timeout: .seconds(Self.answerSeconds),
            what: what)
        return try decode(data, what)
    }

    /// The last `count` events, the oldest first.
    public func events(last count: Int) async throws(APIError) -> [EventView] {
        let list: EventList = try await get(
            Routes.events + URLText.query([("n", "\(count)")]), "List events")
        return list.events
    }

    /// The last `count` events, and then every new one, until `each` throws or the node ends.
    public func followEvents(last count: Int, each: (EventView) throws -> Void) async throws {
        let what = "Follow events"
        let query = URLText.query([("n", "\(count)"), ("follow", "true")])
        try await transport.lines(Routes.events + query, what: what) { line in
            try each(try decode(line, what))
        }
    }

    private func get<Answer: Decodable>(
        _ path: String, _ what: String
    ) async throws(APIError) -> Answer {
        let data = try await transport.exchange(
            .GET, path, timeout: .seconds(Self.answerSeconds), what: what)
        return try decode(data, what)
    }

    /// `waits`: how long the node may take before it answers; 60 s when it is not told.
    private func post<Answer: Decodable>(
        _ path: String, _ request: some Encodable, _ what: String, waits: Int? = nil
    ) async throws(APIError) -> Answer {
        let body: Data
        do { body = try JSONEncoder().encode(request) } catch {
            throw APIError(what: what, why: "the request cannot be written as JSON (\(error))")
        }
        let seconds = Int64(waits ?? 60) + Self.answerSeconds
        let data = try await transport.exchange(
            .POST, path, body: body, timeout: .seconds(seconds), what: what)
        return try decode(data, what)
    }

    private func decode<Answer: Decodable>(
        _ data: Data, _ what: String
    ) throws(APIError) -> Answer {
        do { return try JSONDecoder().decode(Answer.self, from: data) } catch {
            throw APIError(
                what: what, why: "the answer is not what this version of cio expects (\(error))",
                next: "see whether cio and ciod are of one version: cio version")
        }
    }
}
