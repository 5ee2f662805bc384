import API
import Testing

@testable import APIClient

@Suite struct APIClientTests {
    @Test func theEnvironmentPointsAtASocket() {
        #expect(Endpoint(environment: [:]).socketPath == "/run/cio/cio.sock")
        #expect(Endpoint(environment: ["CIO_HOST": ""]).socketPath == "/run/cio/cio.sock")
        #expect(Endpoint(environment: ["CIO_HOST": "/a/b"]).socketPath == "/a/b")
        #expect(Endpoint(environment: ["CIO_HOST": "unix:///a/b"]).socketPath == "/a/b")
    }

    @Test func aNodeThatDoesNotAnswerIsToldInOneLine() async throws {
        let client = APIClient(endpoint: Endpoint(socketPath: "/nowhere/cio.sock"))
        let failure = await #expect(throws: APIError.self) { try await client.nodes() }
        #expect(
            "\(try #require(failure))"
                == "List nodes: no ciod answers at /nowhere/cio.sock (No such file or directory); "
                + "start ciod, or point CIO_HOST at a node's socket")
    }

    @Test func aPathThatNoSocketCanHaveIsRefused() async throws {
        let path = "/" + String(repeating: "x", count: 200)
        let client = APIClient(endpoint: Endpoint(socketPath: path))
        let failure = await #expect(throws: APIError.self) { try await client.nodes() }
        #expect(try #require(failure).error.why.contains("longer than 107 bytes"))
    }

    @Test(arguments: [("db-1.x_~", "db-1.x_~"), ("a/b", "a%2Fb"), ("ä?", "%C3%A4%3F"), ("", "")])
    func namesAreSafeInPaths(name: String, encoded: String) {
        #expect(URLText.segment(name) == encoded)
    }
}
