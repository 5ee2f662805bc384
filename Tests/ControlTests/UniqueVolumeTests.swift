import API
import Testing

@testable import Control

@Suite struct UniqueVolumeTests {
    @Test func ofManyThatAskAtOnceOneMakesItAndAllSucceed() async throws {
        try await TestCluster.with(3) { _, nodes in
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<5 {
                    for node in nodes {
                        group.addTask {
                            try await node.requests.createUnlessThere(
                                CreateVolumeRequest(name: "data", capacityGB: 3))
                        }
                    }
                }
                try await group.waitForAll()
            }
            #expect(nodes[0].view.wanted.count == 1)
            let codes = try await nodes[0].eventCodes() + nodes[1].eventCodes()
                + nodes[2].eventCodes()
            #expect(codes.count { $0 == EventCode.volumeAdded.rawValue } == 3)
        }
    }

    @Test func onlyWhatIsAskedForIsCompared() async throws {
        try await TestCluster.with(2) { _, nodes in
            let requests = nodes[0].requests
            try await requests.createUnlessThere(CreateVolumeRequest(
                name: "data", capacityGB: 3, level: 1, filesystem: "ext4",
                labels: ["app": "web"], iopsMax: 500))
            for same in [
                CreateVolumeRequest(name: "data"),
                CreateVolumeRequest(name: "data", capacityGB: 3),
                CreateVolumeRequest(name: "data", level: 1, provision: "thin", type: "ssd"),
                CreateVolumeRequest(name: "data", labels: ["app": "web"], iopsMin: 0),
            ] {
                try await requests.createUnlessThere(same)
            }
            for (other, name) in [
                (CreateVolumeRequest(name: "data", capacityGB: 4), "capacity 3, not 4"),
                (CreateVolumeRequest(name: "data", level: 2), "level 1, not 2"),
                (CreateVolumeRequest(name: "data", filesystem: "xfs"), "filesystem ext4, not xfs"),
                (CreateVolumeRequest(name: "data", directory: "/a"), "directory"),
                (CreateVolumeRequest(name: "data", type: "hdd"), "type ssd, not hdd"),
                (CreateVolumeRequest(name: "data", labels: ["app": "db"]), "label app web, not db"),
                (CreateVolumeRequest(name: "data", iopsMax: 0), "iopsmax 500, not 0"),
                (CreateVolumeRequest(name: "data", profile: "MYSQL"), "level 1, not 3"),
            ] {
                await #expect {
                    try await requests.createUnlessThere(other)
                } throws: { "\($0)".contains(name) }
            }
        }
    }

    @Test func whatNoVolumeCanHaveIsRefusedThoughThereIsOne() async throws {
        try await TestCluster.with(1) { _, nodes in
            try await nodes[0].requests.createUnlessThere(
                CreateVolumeRequest(name: "data", level: 1))
            for wrong in [
                CreateVolumeRequest(name: "data", capacityGB: 0),
                CreateVolumeRequest(name: "data", provision: "thick"),
                CreateVolumeRequest(name: "data", profile: "NONE"), CreateVolumeRequest(),
            ] {
                await #expect(throws: RequestError.self) {
                    try await nodes[0].requests.createUnlessThere(wrong)
                }
            }
        }
    }
}
