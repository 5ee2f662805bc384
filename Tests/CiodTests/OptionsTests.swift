import Foundation
import MetadataEtcd
import Records
import Testing

@testable import ciod

@Suite struct OptionsTests {
    private func options(
        _ arguments: [String], environment: [String: String] = [:]
    ) throws -> Options {
        try withFile("") { path in
            let flags = try Flags.parse(["--config", path] + arguments)
            return try Options(flags: flags, environment: environment)
        }
    }

    private func withFile<Result>(
        _ text: String, _ body: (String) throws -> Result
    ) throws -> Result {
        let path = "/tmp/cio-ciod-options-\(UUID().uuidString)"
        try text.write(toFile: path, atomically: true, encoding: .utf8)
        defer { try? FileManager.default.removeItem(atPath: path) }
        return try body(path)
    }

    @Test func defaultsAreThoseOfAnInstalledNode() throws {
        let options = try options(["--name", "v1"])
        #expect(options.stateDirectory == "/var/lib/cio")
        #expect(options.runDirectory == "/run/cio")
        #expect(options.store == .sqlite("/var/lib/cio/metadata.sqlite"))
        #expect(options.address.host == "127.0.0.1")
        #expect(options.address.port == 7700)
        #expect(options.drives.isEmpty)
        #expect(options.rebuildDelay == .seconds(30))
        #expect(options.liveness == .seconds(3))
    }

    @Test func flagsGoBeforeTheEnvironmentAndThatBeforeTheFile() throws {
        try withFile("# a node\nname = filed\nport = 1\nthreads = 3\ndrive = /a\ndrive=/b,hdd\n") {
            path in
            let flags = try Flags.parse(["--config", path, "--name", "flagged"])
            let options = try Options(
                flags: flags, environment: ["CIO_NAME": "environed", "CIO_PORT": "2"])
            #expect(options.name == "flagged")
            #expect(options.address.port == 2)
            #expect(options.threads == 3)
            #expect(options.drives.map(\.path) == ["/a", "/b"])
            #expect(options.drives.map(\.type) == [.ssd, .hdd])
        }
    }

    @Test(arguments: [
        ["--name", ""], ["--name", "a b"], ["--name", String(repeating: "a", count: 65)],
        ["--state-dir", "relative"], ["--run-dir", ""], ["--drive", "x"],
        ["--drive", "/a", "--drive", "/a/"], ["--address", "localhost"], ["--address", "::1"],
        ["--nbd-address", "127.0.0.1"], ["--nbd-address", "127.0.0.1:0"],
        ["--nbd-address", "0.0.0.0:10809"], ["--nbd-address", "::1:10809"],
        ["--address", "192.168.1.1"], ["--port", "0"], ["--port", "65536"], ["--port", "x"],
        ["--etcd", "127.0.0.1:2379"], ["--etcd", "https://127.0.0.1:2379"], ["--etcd", ""],
        ["--etcd", "http://127.0.0.1:1,"], ["--etcd", "http://10.0.0.1:2379"],
        ["--etcd", "http://127.0.0.1:1,http://127.0.0.1:1/"],
        ["--etcd", "http://127.0.0.1", "--store", "memory"],
        ["--store", "etcd"], ["--store", "sqlite:"], ["--store", "sqlite:a"],
        ["--engine", "fast"], ["--threads", "0"], ["--threads", "65"], ["--boot-id", "123"],
        ["--liveness", "0"], ["--liveness", "3601"],
        ["--rebuild-delay", "604801"], ["--rebuild-delay", "1.5"], ["--role-delay", "x"],
        ["--log-level", "loud"], ["--docker-socket", "run/cio.sock"], ["--docker-host", "off"],
    ])
    func whatIsOutOfRangeIsRefusedByItsName(arguments: [String]) {
        #expect {
            _ = try options(["--name", "v1"] + arguments)
        } throws: { "\($0)".hasPrefix("\(arguments[0]) has to be") }
    }

    @Test func etcdIsNamedByItsMembers() throws {
        let one = EtcdEndpoint(host: "127.0.0.1", port: 2379)
        let two = EtcdEndpoint(host: "127.0.0.2", port: 4001)
        let urls = "http://127.0.0.1, http://127.0.0.2:4001"
        let flagged = try options([
            "--name", "v1", "--etcd", "http://127.0.0.1", "--etcd", "http://127.0.0.2:4001",
        ])
        #expect(flagged.store == .etcd([one, two]))
        #expect(try options(["--name", "v1", "--etcd", urls]).store == .etcd([one, two]))
        let environed = try options(["--name", "v1"], environment: ["CIO_ETCD": urls])
        #expect(environed.store == .etcd([one, two]))
        let far = ["--name", "v1", "--etcd", "http://etcd.example", "--insecure-network"]
        #expect(try options(far).store == .etcd([EtcdEndpoint(host: "etcd.example", port: 2379)]))
    }

    @Test func twoMetadataServicesAreRefusedWhereverTheyAreNamed() throws {
        try withFile("store = memory\n") { path in
            let flags = try Flags.parse([
                "--config", path, "--name", "v1", "--etcd", "http://127.0.0.1",
            ])
            #expect { _ = try Options(flags: flags, environment: [:]) } throws: {
                "\($0)".hasPrefix("--etcd has to be left out where line 1 of \(path)")
            }
        }
    }

    @Test func dockerFindsTheDriverWhereItLooksUnlessItIsOff() throws {
        let standard = try options([])
        #expect(standard.dockerSocket == "/run/docker/plugins/cio.sock")
        #expect(standard.dockerHost == "/run/docker.sock")
        #expect(try options(["--docker-socket", "/a/b.sock"]).dockerSocket == "/a/b.sock")
        #expect(try options([], environment: ["CIO_DOCKER_SOCKET": "off"]).dockerSocket == nil)
    }

    /// The unit that makes the socket before Docker starts, and the name under which it comes.
    @Test func theSocketUnitIsForTheSameSocket() throws {
        let root = URL(filePath: #filePath).deletingLastPathComponent()
            .deletingLastPathComponent().deletingLastPathComponent()
        let unit = try String(
            contentsOf: root.appending(path: "Packaging/systemd/cio-docker.socket"), encoding: .utf8)
        let path = try #require(options([]).dockerSocket)
        #expect(unit.contains("\nListenStream=\(path)\n"))
        #expect(unit.contains("\nFileDescriptorName=docker\n"))
        #expect(unit.contains("\nService=ciod.service\n"))
    }

    @Test func otherAddressesNeedToBeInsisted() throws {
        let options = try options(["--name", "v1", "--address", "10.0.0.1", "--insecure-network"])
        #expect(options.isInsecureNetwork)
    }

    @Test(arguments: [
        ("no equals sign", "line 1"), ("colour = red", "unknown key 'colour'"),
        ("name = a\nname = b", "line 2"), ("port = many", "line 1"),
        ("insecure-network = perhaps", "line 1"),
    ])
    func whatIsWrongInTheFileIsNamedByItsLine(text: String, part: String) throws {
        try withFile(text) { path in
            #expect {
                let flags = try Flags.parse(["--config", path])
                _ = try Options(flags: flags, environment: ["CIO_NAME": "v1"].filter { _ in
                    !text.hasPrefix("name")
                })
            } throws: { "\($0)".contains(part) }
        }
    }

    @Test func aFileThatIsNamedHasToBeThere() throws {
        let flags = try Flags.parse(["--config", "/nowhere/ciod.conf"])
        #expect { _ = try Options(flags: flags, environment: [:]) } throws: {
            "\($0)".contains("/nowhere/ciod.conf cannot be read")
        }
    }
}
