import API
import Control
import Testing

@testable import RESTServer

@Suite struct RequestBodyTests {
    private func decode(_ text: String, isOptional: Bool = false) throws -> CreateVolumeRequest {
        var call = try Call(method: "POST", path: "/v1/volumes", query: nil)
        call.body = Array(text.utf8)
        return try RequestBody.decode(
            CreateVolumeRequest.self, from: call, what: "Add volume", isOptional: isOptional)
    }

    @Test func whatIsLeftOutHasItsDefault() throws {
        #expect(try decode("{}") == CreateVolumeRequest())
        #expect(try decode("", isOptional: true) == CreateVolumeRequest())
        #expect(try decode(#"{"name":"a","capacityGB":5}"#).capacityGB == 5)
    }

    @Test(arguments: [
        ("", "is no JSON object"), ("nonsense", "is no JSON object"), ("[]", "at its top"),
        (#"{"capacity":5}"#, "unknown field capacity"),
        (#"{"capacityGB":"5"}"#, "capacityGB"), (#"{"capacityGB":-1}"#, "out of its range"),
        (#"{"labels":{"a":1}}"#, "labels.a"),
    ])
    func whatIsWrongIsNamed(body: String, part: String) {
        #expect {
            _ = try decode(body)
        } throws: { error in
            (error as? RequestError)?.kind == .invalid && "\(error)".contains(part)
        }
    }
}
