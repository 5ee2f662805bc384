import ArgumentParser
import Testing

@testable import CLI

@Suite struct CommandLineTests {
    private let groups: [any ParsableCommand.Type] = [
        NodeCommand.self, VolumeCommand.self, EventsCommand.self, InfoCommand.self,
        VersionCommand.self,
    ]

    @Test func everyCommandShowsAnExample() {
        for command in groups + groups.flatMap({ $0.configuration.subcommands }) {
            #expect(command.helpMessage().contains("Example:\n"), "\(command) shows none")
        }
    }

    @Test(arguments: [
        ["list"], ["add", "db"], ["create", "db"], ["remove", "db"], ["delete", "db"],
        ["inspect", "db"], ["info", "-V", "3"], ["info", "-V", "vd3"], ["info", "-u", "371f0802"],
        ["ls", "-a", "-n", "v2"], ["ls", "-N", "e08dc3c4"], ["attach", "db", "--mount"],
        ["detach", "db"], ["move", "db", "-n", "v1"], ["move", "-V", "2", "-N", "f8891810"],
        ["rebuild", "db", "--watch"], ["rebuild", "db", "--to", "v1", "--watch"], ["rm", "db", "-y"],
    ])
    func wordsThatUsersKnowAreUnderstood(words: [String]) throws {
        _ = try VolumeCommand.parseAsRoot(words)
    }

    @Test(arguments: [
        ["info"], ["info", "db", "-V", "3"], ["info", "-V", "x"], ["info", "-V", "-1"],
        ["info", ""], ["move", "db"], ["move", "db", "-n", "v1", "-N", "f8891810"],
        ["rebuild", "db"], ["rebuild", "db", "--local", "--to", "v1"],
        ["create", "db", "-c", "much"], ["create", "db", "-l", "1.5"],
        ["create", "db", "--label", "novalue"], ["create", "db", "--label", "=v"],
        ["create", "db", "--label", "a=1", "--label", "a=2"], ["detach", "db", "--wait", "601"],
        ["rm", "one", "two"],
    ])
    func whatMakesNoSenseIsRefused(words: [String]) {
        #expect(throws: (any Error).self) { try VolumeCommand.parseAsRoot(words) }
    }

    @Test(arguments: [["-n", "-1"], ["-n", "1000001"], ["-n", "all"], ["extra"]])
    func eventsRefuseCountsThatAreNone(words: [String]) {
        #expect(throws: (any Error).self) { try EventsCommand.parseAsRoot(words) }
    }

    @Test func createAsksForExactlyWhatWasSaid() throws {
        let command = try VolumeCreate.parse([
            "db", "-c", "10", "-l", "3", "-n", "v3", "--copies-on", "v3,v2,v4", "-f", "ext4",
            "--label", "app=shop", "--label", "note=a=b",
        ])
        let request = try command.request()
        #expect(request.name == "db")
        #expect(request.capacityGB == 10)
        #expect(request.level == 3)
        #expect(request.node == "v3")
        #expect(request.copiesOn == ["v3", "v2", "v4"])
        #expect(request.filesystem == "ext4")
        #expect(request.labels == ["app": "shop", "note": "a=b"])
        #expect(request.provision == nil && request.type == nil && request.directory == nil)
    }

    @Test func aVolumeIsNamedInThreeWays() throws {
        #expect(try VolumeChoice.parse(["db"]).reference == "db")
        #expect(try VolumeChoice.parse(["-V", "vd3"]).reference == "vdisk:3")
        #expect(try VolumeChoice.parse(["-u", "371f0802"]).reference == "uuid:371f0802")
    }

    @Test func aNodeIsNamedInThreeWays() throws {
        #expect(try NodeChoice.parse(["v2"]).reference == "v2")
        #expect(try NodeChoice.parse(["-n", "v2"]).reference == "v2")
        #expect(try NodeChoice.parse(["-N", "e08dc3c4"]).reference == "id:e08dc3c4")
    }

    @Test func aWrongCommandLineIsToldInOneLine() {
        let full = "Error: Missing it\nUsage: cio x\n  See 'cio x --help' for more information."
        #expect(CommandRunner.oneLine("Missing\nit", full: full) == "Missing it; see cio x --help")
    }

    @Test func onlyYesIsYes() {
        for answer in ["y", "Y", "yes", "YES"] { #expect(Confirmation.isYes(answer)) }
        for answer in ["", "n", "no", "ye", "yess", " "] { #expect(!Confirmation.isYes(answer)) }
    }
}
