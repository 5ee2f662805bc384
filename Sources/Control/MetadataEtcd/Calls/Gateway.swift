import AsyncHTTPClient
import FoundationEssentials
import Glibc
import NIOCore
import NIOFoundationEssentialsCompat
import NIOHTTP1
import NIOPosix

/// Why one endpoint gave no answer.
struct AttemptFailure: Error, Equatable, Sendable {
    var reason: String
    /// The request may have reached an etcd, which may perform it, now or later.
    var mayHaveArrived: Bool
    /// What answered there is not the etcd that was expected.
    var isForeign = false
}

/// HTTP to etcd's JSON gateway, one exchange with one endpoint at a time.
final class Gateway: Sendable {
    private let requests: HTTPClient
    /// Watches keep their connections, and would take them from the requests.
    private let watches: HTTPClient

    init(connectTimeout: Duration) {
        requests = Self.client(connectTimeout, connectionsMax: EtcdLimits.connectionsMax)
        watches = Self.client(connectTimeout, connectionsMax: EtcdLimits.watchesMax)
    }

    private static func client(_ timeout: Duration, connectionsMax: Int) -> HTTPClient {
        var configuration = HTTPClient.Configuration()
        configuration.timeout.connect = TimeAmount(timeout)
        configuration.redirectConfiguration = .disallow
        configuration.httpVersion = .http1Only
        // Who calls knows other endpoints, and when to give up.
        configuration.connectionPool.retryConnectionEstablishment = false
        configuration.connectionPool.concurrentHTTP1ConnectionsPerHostSoftLimit = connectionsMax
        return HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
    }

    func close() async {
        // They fail only when they are closed already.
        try? await requests.shutdown()
        try? await watches.shutdown()
    }

    /// The body of an answer, whatever its status; `isFine` says whether it is 2xx.
    func post(
        _ path: String, _ body: Data, to endpoint: EtcdEndpoint
    ) async throws(AttemptFailure) -> (body: Data, isFine: Bool) {
        try await post(path, body, to: "\(endpoint)")
    }

    /// `base` is what a URL begins with.
    func post(
        _ path: String, _ body: Data, to base: String
    ) async throws(AttemptFailure) -> (body: Data, isFine: Bool) {
        try await exchange(request(path, body, base))
    }

    func get(
        _ path: String, from endpoint: EtcdEndpoint
    ) async throws(AttemptFailure) -> (body: Data, isFine: Bool) {
        try await exchange(HTTPClientRequest(url: "\(endpoint)\(path)"))
    }

    private func exchange(
        _ request: HTTPClientRequest
    ) async throws(AttemptFailure) -> (body: Data, isFine: Bool) {
        do {
            // Timed by whoever calls, as this timeout would not cover the body.
            let response = try await requests.execute(request, timeout: .hours(1))
            let body = try await response.body.collect(upTo: EtcdLimits.answerBytesMax)
            return (Data(buffer: body), (200..<300).contains(response.status.code))
        } catch { throw Self.failure(error) }
    }

    /// An answer without an end.
    func stream(
        _ path: String, _ body: Data, to endpoint: EtcdEndpoint
    ) async throws(AttemptFailure) -> HTTPClientResponse {
        var request = request(path, body, "\(endpoint)")
        // A member without a leader ends the stream: it would not see what others commit. See
        // MetadataRequireLeaderKey in etcd's api/v3rpc/rpctypes.
        request.headers.add(name: "grpc-metadata-hasleader", value: "true")
        do {
            return try await watches.execute(request, timeout: .hours(1))
        } catch { throw Self.failure(error) }
    }

    private func request(
        _ path: String, _ body: Data, _ base: String
    ) -> HTTPClientRequest {
        var request = HTTPClientRequest(url: "\(base)\(path)")
        request.method = .POST
        request.headers.add(name: "content-type", value: "application/json")
        // The client names none for a unix socket, and Go's server insists on one.
        if base.hasPrefix("http+unix:") { request.headers.add(name: "host", value: "localhost") }
        request.body = .bytes(ByteBuffer(data: body))
        return request
    }

    /// In a person's words, and whether anything can have been sent.
    static func failure(_ error: any Error) -> AttemptFailure {
        if let error = error as? HTTPClientError {
            switch error {
            case .connectTimeout:
                return AttemptFailure(reason: "no connection in time", mayHaveArrived: false)
            case .getConnectionFromPoolTimeout:
                return AttemptFailure(reason: "too many connections", mayHaveArrived: false)
            case .remoteConnectionClosed:
                return AttemptFailure(reason: "it hung up", mayHaveArrived: true)
            default: break
            }
        }
        if let error = error as? NIOConnectionError {
            let first = error.connectionErrors.first.map { failure($0.error).reason }
            let dns = error.dnsAError ?? error.dnsAAAAError
            let reason = first ?? dns.map { "its name is not found (\($0))" } ?? "\(error)"
            return AttemptFailure(reason: reason, mayHaveArrived: false)
        }
        if let error = error as? IOError {
            let isRefused = [ECONNREFUSED, EHOSTUNREACH, ENETUNREACH].contains(error.errnoCode)
            return AttemptFailure(
                reason: String(cString: strerror(error.errnoCode)), mayHaveArrived: !isRefused)
        }
        return AttemptFailure(reason: "\(error)", mayHaveArrived: true)
    }
}
