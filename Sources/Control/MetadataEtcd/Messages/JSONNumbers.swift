/// A 64-bit number as protobuf's JSON mapping has it: a string, as JSON's own numbers are doubles
/// to many programs (https://protobuf.dev/programming-guides/json/). Plain numbers are taken too.
struct NumberText<Number: FixedWidthInteger & Codable & Sendable>: Codable, Hashable, Sendable {
    let value: Number

    init(_ value: Number) { self.value = value }

    init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        if let number = try? container.decode(Number.self) {
            value = number
            return
        }
        let text = try container.decode(String.self)
        guard let number = Number(text) else {
            throw DecodingError.dataCorruptedError(
                in: container, debugDescription: "'\(text)' is no \(Number.self)")
        }
        value = number
    }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(String(value))
    }
}

typealias Int64Text = NumberText<Int64>
typealias UInt64Text = NumberText<UInt64>
