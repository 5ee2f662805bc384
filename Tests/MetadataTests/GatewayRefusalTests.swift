import Foundation
import Testing

@testable import MetadataEtcd

struct GatewayRefusalTests {
    private func read(_ text: String) throws -> GatewayRefusal {
        try JSONDecoder().decode(GatewayRefusal.self, from: Data(text.utf8))
    }

    @Test(arguments: [
        // 3.4 and 3.5
        #"{"error":"etcdserver: no leader","message":"etcdserver: no leader","code":14}"#,
        // In a stream.
        #"{"grpc_code":14,"http_code":503,"message":"etcdserver: no leader","http_status":"x"}"#,
        // 3.6
        #"{"code":14,"message":"etcdserver: no leader","details":[]}"#,
        #"{"error":"etcdserver: no leader","code":14}"#,
    ])
    func everyVersionsWordsAreRead(text: String) throws {
        #expect(try read(text) == GatewayRefusal(code: 14, message: "etcdserver: no leader"))
    }

    @Test(arguments: [
        (14, "etcdserver: leader changed", GatewayRefusal.Meaning.tryAgain),
        (4, "context deadline exceeded", .tryAgain), (2, "raft proposal dropped", .tryAgain),
        (8, "etcdserver: too many requests", .tryAgain),
        (8, "etcdserver: mvcc: database space exceeded", .full),
        (5, "etcdserver: requested lease not found", .leaseNotFound),
        (9, "etcdserver: lease already exists", .leaseExists),
        (11, "etcdserver: mvcc: required revision has been compacted", .compacted),
        (11, "etcdserver: mvcc: required revision is a future revision", .invalid),
        (3, "etcdserver: request is too large", .invalid),
        (3, "etcdserver: user name is empty", .denied),
        (16, "etcdserver: invalid auth token", .denied), (15, "etcdserver: corrupt cluster", .corrupt),
    ])
    func refusalsMeanWhatTheySay(code: Int, message: String, meaning: GatewayRefusal.Meaning) {
        #expect(GatewayRefusal(code: code, message: message).meaning == meaning)
    }

    @Test(arguments: ["{}", "[]", #"{"code":"x","message":"y"}"#, #"{"message":"y"}"#])
    func whatIsNoRefusalIsNotTakenForOne(text: String) {
        #expect(throws: (any Error).self) { try read(text) }
    }

    @Test(arguments: ["7", "\"7\"", "\"18446744073709551615\""])
    func numbersComeInStrings(text: String) throws {
        let number = try JSONDecoder().decode(UInt64Text.self, from: Data(text.utf8)).value
        #expect("\(number)" == text.filter { $0 != "\"" })
    }

    @Test(arguments: ["\"\"", "\"x\"", "\"-1\"", "\"18446744073709551616\"", "null", "1.5"])
    func whatIsNoNumberIsRefused(text: String) {
        #expect(throws: (any Error).self) {
            try JSONDecoder().decode(UInt64Text.self, from: Data(text.utf8))
        }
    }
}
