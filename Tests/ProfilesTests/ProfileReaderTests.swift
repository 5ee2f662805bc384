import Testing

@testable import Profiles

@Suite struct ProfileReaderTests {
    private func fault(_ yaml: String) -> String? {
        do {
            _ = try Profile(yaml: yaml)
            return nil
        } catch { return error.description }
    }

    @Test func everyKeyOfTheInterfaceIsRead() throws {
        let profile = try Profile(
            yaml: """
                capacity: 10
                directory: /cio/mysql
                iops: {min: 1000, max: 5000}
                bandwidth: {max: 200}
                level: 3
                local: no
                provision: thin
                type: ssd
                filesystem: ext4
                labels: {app: shop, tier: "1"}
                service:
                  autoexpand: {enabled: no, threshold: 80, increment: 25, limit: 3}
                  snapshot: {enabled: no, interval: 60, max: 10}
                  compression: {enabled: no, algorithm: lzo}
                  encryption: {enabled: no}
                """)
        var expected = Profile()
        expected.capacityGB = 10
        expected.directory = "/cio/mysql"
        expected.iopsMin = 1000
        expected.iopsMax = 5000
        expected.bandwidthMax = 200
        expected.level = 3
        expected.provision = "thin"
        expected.type = "ssd"
        expected.filesystem = "ext4"
        expected.autoexpand = false
        expected.autoexpandThreshold = 80
        expected.autoexpandIncrement = 25
        expected.autoexpandLimit = 3
        expected.labels = ["app": "shop", "tier": "1"]
        #expect(profile == expected)
    }

    @Test(arguments: ["", "\n", "# nothing\n", "{}"])
    func anEmptyProfileLeavesEverythingOut(_ yaml: String) throws {
        #expect(try Profile(yaml: yaml) == Profile())
    }

    @Test(arguments: [
        ("capacity: 10\ncolour: red\n", "unknown key colour (line 2)"),
        ("iops: {min: 1, most: 5}", "unknown key iops.most (line 1)"),
        ("service:\n  backup: {enabled: no}", "unknown key service.backup (line 2)"),
        ("capacity: ten", "capacity (line 1) is a whole number, not 'ten'"),
        ("capacity: -1", "capacity (line 1) is a whole number, not '-1'"),
        ("capacity: 1.5", "capacity (line 1) is a whole number, not '1.5'"),
        ("capacity: [1, 2]", "capacity (line 1) has one value"),
        ("iops: 5", "iops (line 1) is a list of KEY: VALUE"),
        ("- capacity", "a profile is a list of KEY: VALUE"),
        ("local: maybe", "local (line 1) is yes or no, not 'maybe'"),
        (
            "service:\n  snapshot: {enabled: yes}",
            "service.snapshot.enabled (line 2): cio does not do that yet (snapshots); set it to no"
        ),
    ])
    func aMistakeIsToldWithItsKeyAndLine(_ yaml: String, _ message: String) {
        #expect(fault(yaml) == message)
    }

    @Test(arguments: ["a: [", "capacity: 1\ncapacity: 2", "\u{0}", "a: b: c", "key: *missing"])
    func whatIsNoYAMLIsToldInOneLine(_ yaml: String) {
        let fault = fault(yaml)
        #expect(fault?.hasPrefix("it is no YAML: ") == true, "\(fault ?? "accepted")")
        #expect(fault?.contains("\n") == false)
    }

    @Test func aHugeTextIsRefusedBeforeItIsRead() {
        let bomb = "labels:\n" + String(repeating: "  a: b\n", count: 10_000)
        #expect(fault(bomb) == "a profile has at most 16384 bytes")
    }

    @Test func everyShippedProfileIsOne() throws {
        let profiles = try Dictionary(
            uniqueKeysWithValues: ShippedProfiles.all.map { ($0.name, try Profile(yaml: $0.yaml)) })
        #expect(profiles.count == 8)
        #expect(profiles["MYSQL"]?.level == 3)
        #expect(profiles["MYSQL"]?.capacityGB == 10)
        #expect(profiles["GOLD"]?.iopsMax == 2000)
        #expect(profiles["LARGE"]?.capacityGB == 1000)
    }
}
