import Control
import FoundationEssentials

/// JSON in and out. What is not as it should be is told by its field.
enum MessageCoding {
    static func request(_ body: [UInt8], of call: PluginCall) throws -> PluginRequest {
        do {
            return try JSONDecoder().decode(PluginRequest.self, from: Data(body))
        } catch let error as DecodingError {
            throw RequestError(
                .invalid, "read the request \(call.rawValue)", why: "the body \(describe(error))")
        }
    }

    static func bytes(_ answer: PluginAnswer) throws -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return Array(try encoder.encode(answer)) + [UInt8(ascii: "\n")]
    }

    private static func describe(_ error: DecodingError) -> String {
        switch error {
        case .typeMismatch(let type, let context) where context.codingPath.isEmpty:
            "is no JSON object (\(type))"
        case .typeMismatch(let type, let context):
            "has a field \(path(context)) that is no \(type)"
        case .valueNotFound(_, let context) where context.codingPath.isEmpty: "is null"
        case .valueNotFound(_, let context): "has a field \(path(context)) that is null"
        case .keyNotFound(let key, _): "lacks the field \(key.stringValue)"
        default: "is no JSON"
        }
    }

    private static func path(_ context: DecodingError.Context) -> String {
        context.codingPath.map(\.stringValue).joined(separator: ".")
    }
}
