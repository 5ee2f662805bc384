import API
import Testing

@testable import CLI
@testable import Playground

/// Where a word begins in each line of a listing.
private func columns(of words: [String], in line: String) -> [Int] {
    words.map { word in
        line.range(of: word).map { line.distance(from: line.startIndex, to: $0.lowerBound) } ?? -1
    }
}

extension String {
    fileprivate func range(of word: String) -> Range<Index>? {
        indices.first { self[$0...].hasPrefix(word) }.map { $0..<index($0, offsetBy: word.count) }
    }
}

@Suite struct ListingTests {
    @Test func nodesAreListedAsTheInterfaceShowsThem() {
        #expect(
            NodeListing.text(Samples.nodes) == """
                NODENAME             IP                NODE_ID    ROLE       STATUS
                v1                   192.168.3.36      f8891810   sds        normal
                v2                   192.168.3.141     e08dc3c4   backup1    normal
                v3                   192.168.3.160     6a41aeba   backup2    maintenance
                v4                   192.168.3.69      75472452   standard   normal
                """)
    }

    @Test func volumesAreListedAsTheInterfaceShowsThem() {
        #expect(
            VolumeListing.text([Samples.portainer, Samples.database]) == """
                NODENAME             VDISK     DRIVE TYPE                    SIZE  UUID      VOLUMENAME
                v2                   vd1       SSD   2-copy                  20GB  371f0802  portainer
                v3                   vd2       SSD   3-copy                  10GB  4bd2f89f  wp_mysql-data
                """)
    }

    @Test func nodesWithACableShowIt() {
        var node = PlaygroundStatus(
            name: "v2", ip: "10.77.0.2", port: 7702, pid: 417, status: "maintenance",
            socket: "/play/v2/run/cio.sock", cable: "cut")
        let member = PlaygroundStatus(
            name: "m2", ip: "10.77.0.2", port: 2379, status: "electing",
            socket: "http://10.77.0.2:2379")
        #expect(
            PlaygroundListing.text([node, member]) == """
                NODENAME             IP                PORT       PID        STATUS       CABLE    SOCKET
                v2                   10.77.0.2         7702       417        maintenance  cut      /play/v2/run/cio.sock
                m2                   10.77.0.2         2379       -          electing     -        http://10.77.0.2:2379
                """)
        node.cable = nil
        #expect(
            PlaygroundListing.text([node]) == """
                NODENAME             IP                PORT       PID        STATUS       SOCKET
                v2                   10.77.0.2         7702       417        maintenance  /play/v2/run/cio.sock
                """)
    }

    @Test func volumeColumnsStandWhereProgramsLookForThem() {
        let lines = VolumeListing.text([Samples.portainer], withAllocated: true)
            .split(separator: "\n").map(String.init)
        let heads = ["NODENAME", "VDISK", "DRIVE", "TYPE", "UUID", "VOLUMENAME"]
        #expect(columns(of: heads, in: lines[0]) == [0, 21, 31, 37, 67, 77])
        #expect(columns(of: ["SIZE", "ALLOCATED"], in: lines[0]) == [65 - 4, 109 - 9])
        #expect(columns(of: ["20GB", "1.5GB"], in: lines[1]) == [65 - 4, 109 - 5])
    }

    @Test func aVolumeWithoutAnOwnerKeepsItsColumns() {
        var volume = Samples.portainer
        volume.node = ""
        let line = VolumeListing.text([volume]).split(separator: "\n")[1]
        #expect(line.hasPrefix("-                    vd1"))
    }

    @Test func anOverlongNameIsKeptApartFromTheNextColumn() {
        let long = String(repeating: "n", count: 30)
        let row = NodeListing.text([Samples.node(long, "10.0.0.1", "00000001", "sds", "normal")])
            .split(separator: "\n")[1]
        #expect(row.hasPrefix(long + " 10.0.0.1"))
        #expect(row.split(separator: " ").count == 5)
    }

    @Test func listingsOfNothingAreAHeader() {
        #expect(NodeListing.text([]).split(separator: "\n").count == 1)
        #expect(VolumeListing.text([]).split(separator: "\n").count == 1)
    }

    @Test func jsonKeysAreThoseOfTheInterface() throws {
        let text = try JSONText.text(Samples.portainer)
        for key in [
            "vdisk", "uuid", "node", "ipaddr", "nodeid", "name", "capacity", "redundancy",
            "driveType", "localDriveOnly", "provisioning", "filesystem", "labels", "allocated",
        ] {
            #expect(text.contains("\"\(key)\" : "), "\(key) is missing")
        }
    }
}
