import API
import FoundationEssentials
import Glibc
import Testing

@testable import Playground

/// Needs root, as a playground does.
@Suite struct NamespacesTests {
    private let folder =
        FileManager.default.temporaryDirectory.path + "/cio-namespaces-\(UUID().uuidString)"
    private let owner = "/nowhere/\(UUID().uuidString)"

    private func make(_ kind: Namespaces.Kind) async throws -> Namespaces {
        try FileManager.default.createDirectory(
            atPath: folder, withIntermediateDirectories: true)
        return try await Namespaces.make(
            kind, for: owner, environment: ["PATH": "/usr/bin"], log: "\(folder)/log", "Test")
    }

    private func end(_ namespaces: Namespaces) async throws {
        let left = try await ProcessTable.end(namespaces.processes)
        #expect(left.isEmpty)
        waitpid(namespaces.keeper.pid, nil, 0)
        try? FileManager.default.removeItem(atPath: folder)
    }

    @Test func theyAreFoundByTheirOwnerAndGoneWithTheirKeeper() async throws {
        #expect(Namespaces.find(of: owner) == nil)
        let namespaces = try await make(.networkAndMounts)
        #expect(Namespaces.find(of: owner) == namespaces)
        #expect(Namespaces.find(of: owner + "x") == nil)
        let own = Namespaces.links(of: getpid())
        #expect(Set(own).isDisjoint(with: Namespaces.links(of: namespaces.keeper.pid)))
        try await end(namespaces)
        #expect(Namespaces.find(of: owner) == nil)
    }

    @Test func aSwitchSharesTheMountsOfTheMachine() async throws {
        let namespaces = try await make(.network)
        #expect(namespaces.processes == [namespaces.keeper])
        try await end(namespaces)
    }

    @Test func networkDevicesAreMadeInThere() async throws {
        let namespaces = try await make(.network)
        #expect(namespaces.networkDevices == ["lo"])
        try namespaces.ip("link add one type veth peer name two", "Test")
        #expect(Set(namespaces.networkDevices) == ["lo", "one", "two"])
        let failure = #expect(throws: APIError.self) {
            try namespaces.ip("link delete three", "Delete")
        }
        #expect(failure?.error.what == "Delete")
        #expect(failure?.error.why.contains("link delete three: Cannot find device") == true)
        try await end(namespaces)
    }

    @Test func aProgramIsStartedInThereAndFoundThere() async throws {
        let namespaces = try await make(.networkAndMounts)
        let (program, arguments) = try namespaces.entering(
            mounts: true, in: "/usr", "/bin/sleep", ["600"])
        let process = try Spawning.start(
            program, arguments, environment: [:], log: "\(folder)/log")
        while process.isAlive, process.program != "sleep" {
            try await Task.sleep(for: .milliseconds(1))
        }
        #expect(ProcessFile.link(process.pid, "cwd") == "/usr")
        #expect(Set(namespaces.processes) == [namespaces.keeper, process])
        // Its keeper dies: another one is found for it.
        #expect(try await ProcessTable.end([namespaces.keeper]).isEmpty)
        #expect(Namespaces.find(of: owner) == nil)
        let adopted = try #require(
            try await Namespaces.adopt(
                from: [process], for: owner, environment: [:], log: "\(folder)/log", "Test"))
        #expect(Set(adopted.processes) == [adopted.keeper, process])
        #expect(Namespaces.find(of: owner) == adopted)
        try await end(adopted)
        waitpid(process.pid, nil, 0)
        waitpid(namespaces.keeper.pid, nil, 0)
    }

    @Test func nothingIsAdoptedFromTheMachineItself() async throws {
        let own = try #require(ProcessIdentity(pid: getpid()))
        let adopted = try await Namespaces.adopt(
            from: [own], for: owner, environment: [:], log: "/dev/null", "Test")
        #expect(adopted == nil)
    }

    @Test func aProgramThatIsMissingIsNamedWithItsPackage() {
        let failure = #expect(throws: APIError.self) {
            try SystemProgram("no-such-program", package: "some-package")
        }
        #expect(failure?.error.next == "install it: apt install some-package")
    }
}
