import MetadataEtcd
import Testing

struct EtcdEndpointTests {
    @Test(arguments: [
        ("http://127.0.0.1:2379", "http://127.0.0.1:2379", true),
        ("http://127.0.0.1:1/", "http://127.0.0.1:1", true),
        ("HTTP://etcd-1.example", "http://etcd-1.example:2379", false),
        ("http://10.0.0.1:65535", "http://10.0.0.1:65535", false),
        ("http://[::1]", "http://[::1]:2379", true), ("http://[fd00::1]:80", "http://[fd00::1]:80", false),
        ("http://127.example:80", "http://127.example:80", false),
        ("http://127.0.0.1.example:80", "http://127.0.0.1.example:80", false),
    ])
    func urlsAreRead(url: String, canonical: String, isLoopback: Bool) throws {
        let endpoint = try EtcdEndpoint(url: url)
        #expect("\(endpoint)" == canonical)
        #expect(endpoint.isLoopback == isLoopback)
    }

    @Test(arguments: [
        "", "127.0.0.1:2379", "unix:///x", "https://a:1", "http://", "http://:1", "http://a:0",
        "http://a:65536", "http://a:x", "http://a:", "http://a:1/v3", "http://user@a:1",
        "http://a b", "http://a?x", "http://\(String(repeating: "a", count: 254))",
    ])
    func whatIsNoneIsRefused(url: String) {
        #expect(throws: EtcdEndpointError.self) { try EtcdEndpoint(url: url) }
    }
}
