import API
import Control
import FoundationEssentials
import HTTPTypes
import Hummingbird
import NIOCore

/// Answers every request: from the endpoints, or with an error that says what to do.
struct APIResponder: HTTPResponder {
    typealias Context = BasicRequestContext

    let requests: Requests
    /// Ends the streams that would go on for ever.
    let isEnding: @Sendable () -> Bool

    func respond(to request: Request, context: Context) async throws -> Response {
        do {
            let (method, path) = (request.method.rawValue, request.uri.path)
            var call = try Call(method: method, path: path, query: request.uri.query)
            call.body = try await body(of: request, "\(method) \(path)")
            return try await answer(call)
        } catch let error as RequestError {
            return try json(error.body, status: error.kind.rawValue)
        } catch is CancellationError {
            return try json(
                APIError(what: request.uri.path, why: "this node ends", next: "ask another"),
                status: 503)
        }
    }

    private func body(of request: Request, _ what: String) async throws -> [UInt8] {
        var request = request
        do {
            let buffer = try await request.collectBody(upTo: RequestBody.bytesMax)
            return Array(buffer.readableBytesView)
        } catch {
            throw RequestError(
                .invalid, what, why: "the body cannot be had, or has more than"
                    + " \(RequestBody.bytesMax) bytes")
        }
    }

    private func answer(_ call: Call) async throws -> Response {
        let name = call.name
        switch call.endpoint {
        case .version: return try json(requests.version())
        case .cluster: return try json(await requests.cluster(node: call.query["node"]))
        case .nodes: return try json(requests.nodes())
        case .node: return try json(requests.node(name))
        case .volumes: return try json(requests.volumes(ofNode: call.query["node"]))
        case .volume: return try json(requests.volume(name))
        case .create:
            return try json(await requests.create(
                RequestBody.decode(CreateVolumeRequest.self, from: call, what: "Add volume")))
        case .update:
            return try json(await requests.update(name, RequestBody.decode(
                UpdateVolumeRequest.self, from: call, what: "Update \(name)")))
        case .remove: return try json(await requests.remove(name))
        case .attach:
            return try json(await requests.attach(name, RequestBody.decode(
                AttachRequest.self, from: call, what: "Attach \(name)", isOptional: true)))
        case .detach:
            return try json(await requests.detach(name, RequestBody.decode(
                DetachRequest.self, from: call, what: "Detach \(name)", isOptional: true)))
        case .move:
            return try json(await requests.move(
                name, RequestBody.decode(MoveRequest.self, from: call, what: "Move \(name)")))
        case .rebuild:
            return try json(await requests.rebuild(name, RequestBody.decode(
                RebuildRequest.self, from: call, what: "Rebuild \(name)")))
        case .profiles: return try json(await requests.profiles())
        case .profile: return try json(await requests.profile(name))
        case .createProfile:
            return try json(await requests.create(
                RequestBody.decode(CreateProfileRequest.self, from: call, what: "Add profile")))
        case .removeProfile: return try json(await requests.removeProfile(name))
        case .events: return try await events(call)
        }
    }

    private func events(_ call: Call) async throws -> Response {
        let what = "List events"
        let text = call.query["n"] ?? "500"
        guard let count = Int(text), (0...10_000).contains(count) else {
            throw RequestError(.invalid, what, why: "n is 0 to 10000, not \(text)")
        }
        switch call.query["follow"] ?? "false" {
        case "false": return try json(await requests.events(newest: count))
        case "true": return stream(requests.eventStream(newest: count))
        case let other:
            throw RequestError(.invalid, what, why: "follow is true or false, not \(other)")
        }
    }

    /// A line of JSON for each event, as it comes. A quiet stream has an empty line from time to
    /// time, which finds out clients that are gone.
    private func stream(_ events: AsyncThrowingStream<EventView, any Error>) -> Response {
        let isEnding = isEnding
        let body = ResponseBody { writer in
            let lines = EventLines(events)
            defer { lines.cancel() }
            while !isEnding(), let line = try await lines.next() {
                try await writer.write(ByteBuffer(bytes: line))
            }
            try await writer.finish(nil)
        }
        return Response(status: .ok, headers: [.contentType: "application/x-ndjson"], body: body)
    }

    private func json(_ value: some Encodable, status: Int = 200) throws -> Response {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        var bytes = try encoder.encode(value)
        bytes.append(UInt8(ascii: "\n"))
        return Response(
            status: HTTPResponse.Status(code: status),
            headers: [.contentType: "application/json"],
            body: ResponseBody(byteBuffer: ByteBuffer(bytes: bytes)))
    }
}
