import API
import Control
import Testing

@testable import DockerPlugin

@Suite struct VolumeOptionsTests {
    private func request(_ options: [String: String]) throws -> CreateVolumeRequest {
        try VolumeOptions.request(name: "db", options: options, what: "Create db")
    }

    @Test func withoutOptionsEverythingIsLeftOpen() throws {
        #expect(try request([:]) == CreateVolumeRequest(name: "db"))
    }

    @Test func everyOptionOfAVolumeIsTaken() throws {
        let options = [
            "capacity": "10", "directory": "/cio/mysql", "level": "3", "type": "hdd",
            "filesystem": "ext4", "provision": "thin", "label": "a=1,b=x=y,c=", "snapshot": "no",
            "iopsmin": "100", "iopsmax": "1000", "bandwidthmin": "0", "bandwidthmax": "50",
            "profile": "MYSQL",
        ]
        #expect(try request(options) == CreateVolumeRequest(
            name: "db", capacityGB: 10, level: 3, filesystem: "ext4", directory: "/cio/mysql",
            provision: "thin", type: "hdd", labels: ["a": "1", "b": "x=y", "c": ""],
            iopsMin: 100, iopsMax: 1000, bandwidthMin: 0, bandwidthMax: 50, profile: "MYSQL"))
    }

    @Test(arguments: [
        (["Capacity": "1"], "there is no option Capacity"),
        (["size": "1"], "there is no option size"),
        (["capacity": "ten"], "the option capacity is a whole number of GB, not 'ten'"),
        (["capacity": "-1"], "the option capacity is a whole number of GB"),
        (["capacity": "99999999999999999999"], "the option capacity is a whole number"),
        (["level": "0"], "the option level is a whole number of copies, not '0'"),
        (["label": "a"], "the option label is KEY=VALUE"),
        (["label": "a=1,a=2"], "the option label has the key a twice"),
        (["iopsmin": "-1"], "the option iopsmin is a whole number of reads and writes a second"),
        (["iopsmax": "fast"], "the option iopsmax is a whole number of reads and writes"),
        (["bandwidthmin": ""], "the option bandwidthmin is a whole number of MiB a second"),
        (["bandwidthmax": "1.5"], "the option bandwidthmax is a whole number of MiB a second"),
        (["snapshot": "yes"], "the option snapshot cannot be honoured yet"),
        (["snapshot": "maybe"], "the option snapshot is yes or no, not 'maybe'"),
        (["interval": "60"], "the option interval needs the option snapshot=yes"),
        (["snapshotMax": "5", "snapshot": "no"], "the option snapshotMax needs the option"),
        (["interval": "60", "snapshot": "yes"], "the option interval cannot be honoured yet"),
    ])
    func whatCannotBeHonouredIsRefusedByItsName(options: [String: String], why: String) {
        #expect { _ = try request(options) } throws: { error in
            guard let error = error as? RequestError else { return false }
            return error.kind == .invalid && error.body.error.why.hasPrefix(why)
        }
    }

    @Test func moreOptionsThanThereAreAreRefused() {
        let options = Dictionary(uniqueKeysWithValues: (0...64).map { ("x\($0)", "1") })
        #expect(throws: RequestError.self) { try request(options) }
    }
}
