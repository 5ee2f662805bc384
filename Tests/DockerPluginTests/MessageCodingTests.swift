import Control
import Foundation
import Testing

@testable import DockerPlugin

@Suite struct MessageCodingTests {
    private func request(_ body: String) throws -> PluginRequest {
        try MessageCoding.request(Array(body.utf8), of: .create)
    }

    /// As Docker 20.10 sends them, with a newline at the end.
    @Test func whatDockerSendsIsRead() throws {
        #expect(try request("{\"Name\":\"db\",\"Opts\":null}\n") == PluginRequest(name: "db"))
        #expect(try request("{\"Name\":\"db\",\"Opts\":{}}\n") == PluginRequest(name: "db"))
        #expect(try request("{\"Name\":\"db\"}\n") == PluginRequest(name: "db"))
        #expect(
            try request("{\"Name\":\"db\",\"Opts\":{\"level\":\"3\"},\"Later\":[1]}")
                == PluginRequest(name: "db", options: ["level": "3"]))
        #expect(
            try request("{\"Name\":\"db\",\"ID\":\"0a1b\"}\n")
                == PluginRequest(name: "db", id: "0a1b"))
    }

    @Test(arguments: [
        ("", "is no JSON"), ("{", "is no JSON"), ("nonsense", "is no JSON"),
        ("[]", "is no JSON object"), ("5", "is no JSON object"), ("null", "is null"),
        ("{}", "lacks the field Name"), ("{\"name\":\"db\"}", "lacks the field Name"),
        ("{\"Name\":null}", "has a field Name that is null"),
        ("{\"Name\":5}", "has a field Name that is no String"),
        ("{\"Name\":[\"db\"]}", "has a field Name that is no String"),
        ("{\"Name\":\"db\",\"ID\":7}", "has a field ID that is no String"),
        ("{\"Name\":\"db\",\"Opts\":[]}", "has a field Opts that is no"),
        ("{\"Name\":\"db\",\"Opts\":{\"level\":3}}", "has a field Opts.level that is no String"),
        ("{\"Name\":\"db\"}}", "is no JSON"),
    ])
    func whatIsWrongIsToldByItsField(body: String, why: String) {
        #expect { _ = try request(body) } throws: { error in
            guard let error = error as? RequestError else { return false }
            return error.body.error.why.hasPrefix("the body \(why)")
        }
    }

    @Test func aBodyThatIsNoTextIsRefused() {
        #expect(throws: RequestError.self) {
            try MessageCoding.request([0xff, 0x00, 0xfe], of: .mount)
        }
    }

    @Test func answersHaveTheFieldsOfTheProtocol() throws {
        func text(_ answer: PluginAnswer) throws -> String {
            String(decoding: try MessageCoding.bytes(answer), as: UTF8.self)
        }
        #expect(try text(.done) == "{\"Err\":\"\"}\n")
        #expect(try text(.activated) == "{\"Err\":\"\",\"Implements\":[\"VolumeDriver\"]}\n")
        #expect(try text(.capable) == "{\"Capabilities\":{\"Scope\":\"global\"},\"Err\":\"\"}\n")
        #expect(try text(PluginAnswer(mountpoint: "/a/b")) == "{\"Err\":\"\",\"Mountpoint\":\"/a/b\"}\n")
        let volume = PluginAnswer.Volume(name: "db", mountpoint: "")
        #expect(
            try text(PluginAnswer(volumes: [volume]))
                == "{\"Err\":\"\",\"Volumes\":[{\"Mountpoint\":\"\",\"Name\":\"db\"}]}\n")
        #expect(try text(.failed("no")) == "{\"Err\":\"no\"}\n")
    }
}
