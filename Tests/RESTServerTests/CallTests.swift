import Control
import Testing

@testable import RESTServer

@Suite struct CallTests {
    @Test func aRequestIsTakenApart() throws {
        let call = try Call(
            method: "POST", path: "/v1/volumes/uuid%3A371f0802/attach", query: nil)
        #expect(call.endpoint == .attach)
        #expect(call.name == "uuid:371f0802")
        let events = try Call(method: "GET", path: "/v1/events", query: "n=5&follow=true")
        #expect(events.query == ["n": "5", "follow": "true"])
    }

    @Test(arguments: [
        ("GET", "/", nil, 404), ("GET", "/v1/volumes/", nil, 404),
        ("GET", "/v1/volumes/a/b", nil, 404), ("GET", "/v2/nodes", nil, 404),
        ("PUT", "/v1/volumes", nil, 405), ("DELETE", "/v1/nodes/v1", nil, 405),
        ("GET", "/v1/volumes/%zz", nil, 400), ("GET", "/v1/volumes/%ff", nil, 400),
        ("GET", "/v1/nodes", "x=1", 400), ("GET", "/v1/events", "n=1&n=2", 400),
        ("GET", "/v1/events", "n=%", 400),
    ] as [(String, String, String?, Int)])
    func whatIsNotThereIsRefused(
        method: String, path: String, query: String?, status: Int
    ) {
        #expect {
            _ = try Call(method: method, path: path, query: query)
        } throws: { ($0 as? RequestError)?.kind.rawValue == status }
    }
}
