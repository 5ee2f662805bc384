import API
import Testing

@testable import CLI

@Suite struct DetailsTests {
    private func keys(_ text: String) -> [String] {
        text.split(separator: "\n").prefix { !$0.hasPrefix("NODENAME") }.map { line in
            String(line.prefix(31)).split(separator: " ").joined(separator: " ")
        }
    }

    @Test func aVolumeIsShownInTheOrderOfTheInterface() {
        var volume = Samples.portainer
        volume.directory = "/cio/volumes/vd1"
        #expect(
            keys(VolumeDetails.text(volume)) == [
                "vdisk", "uuid", "node", "ipaddr", "nodeid", "name", "capacity", "redundancy",
                "drive type", "local drive only", "provisioning", "minimum iops",
                "maximum iops", "directory", "autoexpand enabled", "autoexpand threshold",
                "autoexpand increment", "autoexpand limit", "autoexpand count", "encryption",
                "snapshot", "snapshot interval", "maximum snapshots", "filesystem", "labels",
                "allocated", "minimum bandwidth", "maximum bandwidth", "copies in sync",
                "last verified", "epoch", "attached", "mounted",
            ])
    }

    @Test func valuesStandAtColumn31() {
        for line in VolumeDetails.text(Samples.portainer).split(separator: "\n").prefix(15) {
            let value = line.dropFirst(31)
            #expect(!value.hasPrefix(" ") && !value.isEmpty, "\(line)")
            #expect(line.prefix(31).hasSuffix(" "), "\(line)")
        }
    }

    @Test func theDirectoryIsShownOnlyWhileMounted() {
        #expect(!keys(VolumeDetails.text(Samples.portainer)).contains("directory"))
    }

    @Test func everyCopyIsListedWithWhatItLacks() {
        var volume = Samples.portainer
        volume.copies[1].state = "stale"
        volume.copies[1].lacks = "writes since 6.3"
        let text = VolumeDetails.text(volume)
        #expect(
            text.hasSuffix(
                """
                NODENAME             DRIVE     STATE       EPOCH     STAMP  ALLOCATED  LACKS
                v1                   aa11bb22  in sync         7      7.12      1.5GB  -
                v2                   aa11bb22  stale           7      7.12      1.5GB  writes since 6.3
                """))
    }

    @Test func aVolumeThatWaitsSaysForWhatSinceWhenAndWhatEndsIt() {
        var volume = Samples.portainer
        volume.wait = WaitView(forWhat: "a copy in sync", since: 0, endsWith: "v3 comes back")
        let text = VolumeDetails.text(volume)
        #expect(text.contains("waits for                      a copy in sync"))
        #expect(text.contains("waits since                    "))
        #expect(text.contains("wait ends with                 v3 comes back"))
    }

    @Test func theClusterSaysWhichLossesCanBeRebuilt() {
        let info = ClusterInfo(
            domain: "0a1b2c3d", nodes: .init(total: 4, online: 3), vdisks: 2, ssds: 4, hdds: 0,
            capacity: .init(total: 1 << 40, used: 1 << 39, free: 1 << 39, provisioned: 3 << 39),
            iops: .init(provisioned: 1300), bandwidth: .init(provisioned: 50),
            condition: "warning", reasons: ["node v3 is unreachable"],
            nodeLoss: [
                .init(node: "v1", canBeRebuilt: true, why: nil),
                .init(node: "v2", canBeRebuilt: false, why: "20GB are missing"),
            ],
            metadataService: .init(
                kind: "etcd", isReachable: true,
                endpoints: [
                    .init(address: "http://10.0.0.1:2379", isReachable: true, role: "leader"),
                    .init(address: "http://10.0.0.2:2379", isReachable: false, role: nil),
                ]),
            engine: .init(kind: "io_uring", missing: []))
        #expect(
            ClusterDetails.text(info) == """
                Domain                         0a1b2c3d
                Nodes                          4 (3 online)
                Vdisks                         2
                SSDs                           4
                HDDs                           0
                Total capacity                 1.000TB
                Used capacity                  0.500TB
                Free capacity                  0.500TB
                Provisioned capacity           1.500TB
                Provisioned IOPS               1300
                Provisioned bandwidth          50MiB/s
                Condition                      warning
                                               node v3 is unreachable
                Loss of v1                     can be rebuilt
                Loss of v2                     cannot be rebuilt: 20GB are missing
                Metadata service               etcd, reachable
                                               http://10.0.0.1:2379 (leader)
                                               http://10.0.0.2:2379 does not answer
                Engine                         io_uring
                """)
        #expect(ClusterDetails.text(info, capacityOnly: true).split(separator: "\n").count == 4)
    }

    @Test(arguments: [
        (0, "0B"), (1023, "1023B"), (1024, "1.0KB"), (1 << 30, "1.0GB"),
        ((1 << 30) - 1, "1023.9MB"), (UInt64.max, "16777215.9TB"),
    ] as [(UInt64, String)])
    func sizesAreRoundedDown(bytes: UInt64, text: String) {
        #expect(Size.text(bytes) == text)
    }
}
