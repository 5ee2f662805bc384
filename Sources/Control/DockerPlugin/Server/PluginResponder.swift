import Control
import HTTPTypes
import Hummingbird
import NIOCore

/// Answers one HTTP request. Every answer is JSON, and says in `Err` what is wrong, if anything.
struct PluginResponder: Sendable {
    let plugin: Plugin

    /// Docker's own, from its `Accept`.
    static let contentType = "application/vnd.docker.plugins.v1.2+json"

    /// The answer, and whether the connection has to be closed after it: the request was not read
    /// to its end.
    func respond(to request: Request) async -> (Response, isLast: Bool) {
        do {
            return (try Self.response(try await answer(request), status: .ok), false)
        } catch let error as BodyFailure {
            return (Self.failure("\(error)", status: .contentTooLarge), true)
        } catch let error as RequestError {
            return (Self.failure("\(error)", status: error.status), false)
        } catch {
            return (Self.failure("\(error)", status: .internalServerError), false)
        }
    }

    private struct BodyFailure: Error, CustomStringConvertible {
        var description: String
    }

    private func answer(_ request: Request) async throws -> PluginAnswer {
        let path = request.uri.path
        guard let call = PluginCall(rawValue: path) else {
            throw RequestError(
                .notFound, "call \(path)", why: "a volume driver has no such call")
        }
        guard request.method == .post else {
            throw RequestError(.notAllowed, "call \(path)", why: "every call is a POST")
        }
        return try await plugin.answer(call, body: try await body(of: request, path))
    }

    private func body(of request: Request, _ path: String) async throws -> [UInt8] {
        var request = request
        do {
            let buffer = try await request.collectBody(upTo: Limits.bodyBytesMax)
            return Array(buffer.readableBytesView)
        } catch {
            throw BodyFailure(
                description: "call \(path): the body cannot be had, or has more than"
                    + " \(Limits.bodyBytesMax) bytes")
        }
    }

    private static func failure(_ why: String, status: HTTPResponse.Status) -> Response {
        // An answer of strings can always be encoded.
        (try? response(.failed(why), status: status)) ?? Response(status: status)
    }

    private static func response(
        _ answer: PluginAnswer, status: HTTPResponse.Status
    ) throws -> Response {
        Response(
            status: status, headers: [.contentType: contentType],
            body: ResponseBody(byteBuffer: ByteBuffer(bytes: try MessageCoding.bytes(answer))))
    }
}

extension RequestError {
    /// Docker reads `Err` whatever the status is, and takes 404 and 405 for calls that a plugin
    /// does not have: those only for what is no call at all.
    fileprivate var status: HTTPResponse.Status {
        guard body.error.what.hasPrefix("call ") else { return .internalServerError }
        return HTTPResponse.Status(code: kind.rawValue)
    }
}
