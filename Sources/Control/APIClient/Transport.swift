import API
import AsyncHTTPClient
import FoundationEssentials
import NIOCore
import NIOFoundationEssentialsCompat
import NIOHTTP1

/// HTTP over a unix socket.
struct Transport: Sendable {
    let endpoint: Endpoint

    /// The largest body that is taken: a listing of thousands of volumes.
    static let bodyBytesMax = 64 << 20
    /// One line of a stream: an event.
    static let lineBytesMax = 1 << 20

    /// For the life of the process: closing it would only cost time at the end of every command.
    private static let http: HTTPClient = {
        var configuration = HTTPClient.Configuration()
        configuration.timeout.connect = .seconds(5)
        configuration.connectionPool.retryConnectionEstablishment = false
        return HTTPClient(configuration: configuration)
    }()

    /// Sends one request and returns the answer's body, or the failure that it tells.
    func exchange(
        _ method: HTTPMethod, _ path: String, body: Data? = nil, timeout: TimeAmount, what: String
    ) async throws(APIError) -> Data {
        let response = try await start(method, path, body: body, timeout: timeout, what: what)
        let buffer: ByteBuffer
        do { buffer = try await response.body.collect(upTo: Self.bodyBytesMax) } catch {
            throw lost(what, error)
        }
        return Data(buffer: buffer)
    }

    /// The lines of an answer, as they come, without an end.
    func lines(
        _ path: String, what: String, each: (Data) throws -> Void
    ) async throws {
        let response = try await start(.GET, path, body: nil, timeout: .hours(24 * 365), what: what)
        var rest = ByteBuffer()
        do {
            for try await piece in response.body {
                rest.writeImmutableBuffer(piece)
                while let length = rest.readableBytesView.firstIndex(of: UInt8(ascii: "\n"))
                    .map({ $0 - rest.readerIndex }), let line = rest.readData(length: length)
                {
                    rest.moveReaderIndex(forwardBy: 1)
                    if !line.isEmpty { try each(line) }
                }
                rest.discardReadBytes()
                guard rest.readableBytes <= Self.lineBytesMax else {
                    throw APIError(what: what, why: "the answer has a line of over 1 MiB")
                }
            }
        } catch let error as APIError {
            throw error
        } catch {
            throw lost(what, error)
        }
    }

    private func start(
        _ method: HTTPMethod, _ path: String, body: Data?, timeout: TimeAmount, what: String
    ) async throws(APIError) -> HTTPClientResponse {
        try endpoint.check(what)
        let host = URLText.segment(endpoint.socketPath)
        var request = HTTPClientRequest(url: "http+unix://\(host)\(path)")
        request.method = method
        if let body {
            request.headers.add(name: "content-type", value: "application/json")
            request.body = .bytes(ByteBuffer(data: body))
        }
        let response: HTTPClientResponse
        do { response = try await Self.http.execute(request, timeout: timeout) } catch {
            throw lost(what, error)
        }
        guard response.status.code >= 400 else { return response }
        throw await refusal(response, what: what)
    }

    /// What the node says of a request that it refused.
    private func refusal(_ response: HTTPClientResponse, what: String) async -> APIError {
        if let buffer = try? await response.body.collect(upTo: Self.lineBytesMax),
            let error = try? JSONDecoder().decode(APIError.self, from: Data(buffer: buffer))
        {
            return error
        }
        return APIError(
            what: what, why: "ciod at \(endpoint.socketPath) answered \(response.status)",
            next: "see whether cio and ciod are of one version: cio version")
    }

    private func lost(_ what: String, _ error: any Error) -> APIError {
        APIError(
            what: what, why: "ciod at \(endpoint.socketPath) gave no answer (\(error))",
            next: "look at its log, then try again")
    }
}
