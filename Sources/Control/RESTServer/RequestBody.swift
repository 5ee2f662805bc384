import Control
import FoundationEssentials

/// The JSON body of a request: checked strictly, so that a mistyped field is not lost in silence.
enum RequestBody {
    static let bytesMax = 1 << 20

    /// - Parameter isOptional: an empty body stands for an empty object.
    static func decode<Request: Codable>(
        _ type: Request.Type, from call: Call, what: String, isOptional: Bool = false
    ) throws -> Request {
        let bytes = call.body.isEmpty && isOptional ? Array("{}".utf8) : call.body
        do {
            let decoder = JSONDecoder()
            let request = try decoder.decode(type, from: Data(bytes))
            let given = try decoder.decode([String: AnyValue].self, from: Data(bytes)).keys
            let known = Mirror(reflecting: request).children.compactMap(\.label)
            if let other = given.sorted().first(where: { !known.contains($0) }) {
                let names = known.joined(separator: ", ")
                throw RequestError(
                    .invalid, what, why: "the body has an unknown field \(other)",
                    next: "it may have \(names)")
            }
            return request
        } catch let error as DecodingError {
            throw RequestError(.invalid, what, why: "the body \(Self.describe(error))")
        }
    }

    private static func describe(_ error: DecodingError) -> String {
        switch error {
        case .typeMismatch(let type, let context):
            "has a field \(path(context)) that is no \(type)"
        case .valueNotFound(let type, let context):
            "has a field \(path(context)) that is null and should be a \(type)"
        case .keyNotFound(let key, _): "lacks the field \(key.stringValue)"
        case .dataCorrupted(let context) where !context.codingPath.isEmpty:
            "has a field \(path(context)) that cannot be read: \(context.debugDescription)"
        // The decoder does not tell the two apart.
        case .dataCorrupted: "is no JSON object, or has a number out of its range"
        @unknown default: "cannot be read"
        }
    }

    private static func path(_ context: DecodingError.Context) -> String {
        context.codingPath.isEmpty
            ? "at its top" : context.codingPath.map(\.stringValue).joined(separator: ".")
    }
}

/// Accepts any JSON value.
private struct AnyValue: Decodable {
    init(from decoder: any Decoder) {}
}
