import FoundationEssentials
import Metadata

extension AttemptFailure {
    static func notEtcd(_ why: String) -> AttemptFailure {
        AttemptFailure(reason: "it is not an etcd: \(why)", mayHaveArrived: false, isForeign: true)
    }
}

/// `GET /version`
private struct EtcdVersion: Decodable {
    var etcdserver: String

    /// The JSON gateway speaks `/v3` since etcd 3.4.
    static let oldest = (major: 3, minor: 4)

    /// Nil for what is no version number.
    var isOldEnough: Bool? {
        let parts = etcdserver.split(separator: ".").prefix(2).compactMap { Int($0) }
        guard parts.count == 2 else { return nil }
        return (parts[0], parts[1]) >= (Self.oldest.major, Self.oldest.minor)
    }
}

extension Session {
    /// Asks an endpoint what it is, before it is used for the first time: whatever else listens
    /// there must not be taken for an etcd.
    func know(_ index: Int) async throws(AttemptFailure) {
        guard !members.isKnown(index) else { return }
        let reply: (body: Data, isFine: Bool)
        do throws(AttemptFailure) {
            reply = try await gateway.get("/version", from: members.endpoints[index])
        } catch {
            // Only the question after its version was sent.
            throw AttemptFailure(reason: error.reason, mayHaveArrived: false)
        }
        guard reply.isFine,
            let version = try? JSONDecoder().decode(EtcdVersion.self, from: reply.body),
            let isNewEnough = version.isOldEnough
        else { throw .notEtcd("it does not tell a version of etcd") }
        guard isNewEnough else {
            throw AttemptFailure(
                reason: "it is etcd \(version.etcdserver), and 3.4 or later is needed",
                mayHaveArrived: false, isForeign: true)
        }
        members.setKnown(index)
    }

    /// Looks at every endpoint once, so that a mistake in the configuration is told at the start
    /// and not on the day on which the others are down. One that does not answer may be down.
    func checkEndpoints(_ operation: String) async throws(MetadataError) {
        for index in members.endpoints.indices {
            let failure = await within(options.attemptTimeout) { [self] in
                await Result { () async throws(AttemptFailure) in try await know(index) }
            }
            guard case .failure(let failure) = failure, failure.isForeign else { continue }
            throw MetadataError(
                .foreign, operation: operation, object: "\(members.endpoints[index])",
                cause: failure.reason, remedy: "name the endpoints of an etcd with --etcd")
        }
    }
}
