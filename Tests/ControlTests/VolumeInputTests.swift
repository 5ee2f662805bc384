import API
import Testing

@testable import Control

@Suite struct VolumeInputTests {
    @Test func defaultsAreThoseOfTheInterface() throws {
        let input = try VolumeInput(CreateVolumeRequest(), what: "Add")
        #expect(input.size.gigabytes == 20)
        #expect(input.copies == 2)
        #expect(input.filesystem == .xfs)
        #expect(input.driveType == .ssd)
    }

    @Test(arguments: [
        CreateVolumeRequest(name: ""), CreateVolumeRequest(name: "a/b"),
        CreateVolumeRequest(name: "-a"), CreateVolumeRequest(name: "uuid:1"),
        CreateVolumeRequest(name: String(repeating: "a", count: 129)),
        CreateVolumeRequest(capacityGB: 0), CreateVolumeRequest(capacityGB: 65_537),
        CreateVolumeRequest(level: 0), CreateVolumeRequest(level: 4),
        CreateVolumeRequest(filesystem: "ntfs"), CreateVolumeRequest(provision: "thick"),
        CreateVolumeRequest(type: "tape"), CreateVolumeRequest(directory: "relative"),
        CreateVolumeRequest(directory: "/a/../b"), CreateVolumeRequest(directory: "/a\nb"),
        CreateVolumeRequest(level: 2, copiesOn: ["v1"]), CreateVolumeRequest(copiesOn: []),
        CreateVolumeRequest(labels: ["": "x"]), CreateVolumeRequest(labels: ["a=b": "x"]),
        CreateVolumeRequest(labels: ["a": "x\u{7}"]), CreateVolumeRequest(iopsMax: 10_000_001),
        CreateVolumeRequest(iopsMin: 6, iopsMax: 5),
        CreateVolumeRequest(bandwidthMin: 6, bandwidthMax: 5),
        CreateVolumeRequest(autoexpandThreshold: 0), CreateVolumeRequest(autoexpandThreshold: 100),
        CreateVolumeRequest(autoexpandIncrement: 0), CreateVolumeRequest(autoexpandLimit: 1001),
    ])
    func whatIsOutOfRangeIsRefused(request: CreateVolumeRequest) {
        #expect {
            _ = try VolumeInput(request, what: "Add")
        } throws: { error in
            (error as? RequestError)?.kind == .invalid && "\(error)".hasPrefix("Add: ")
        }
    }
}
