import API

/// The cluster of the seed walkthrough.
enum Samples {
    static let nodes = [
        node("v1", "192.168.3.36", "f8891810", "sds", "normal"),
        node("v2", "192.168.3.141", "e08dc3c4", "backup1", "normal"),
        node("v3", "192.168.3.160", "6a41aeba", "backup2", "maintenance"),
        node("v4", "192.168.3.69", "75472452", "standard", "normal"),
    ]

    static func node(
        _ name: String, _ ip: String, _ id: String, _ role: String, _ status: String
    ) -> NodeView {
        NodeView(
            name: name, ip: ip, port: 7701, nodeid: id, id: id + String(repeating: "0", count: 24),
            role: role, status: status,
            drives: [
                DriveView(
                    driveid: "aa11bb22", device: "/drive", type: "ssd", total: 100 << 30,
                    free: 50 << 30, status: "normal")
            ],
            volumes: name == "v2" ? ["portainer"] : [])
    }

    static let portainer = volume("portainer", vdisk: 1, "371f0802", node: "v2", 20, copies: 2)
    static let database = volume("wp_mysql-data", vdisk: 2, "4bd2f89f", node: "v3", 10, copies: 3)

    static func volume(
        _ name: String, vdisk: Int, _ uuid: String, node: String, _ capacity: UInt64, copies: Int
    ) -> VolumeView {
        VolumeView(
            vdisk: "vd\(vdisk)", uuid: uuid, id: uuid + String(repeating: "0", count: 24),
            node: node, ipaddr: "192.168.3.141", nodeid: "e08dc3c4", name: name,
            capacity: capacity, redundancy: copies, driveType: "ssd", localDriveOnly: false,
            provisioning: "thin", directory: nil, filesystem: "xfs", labels: [:],
            allocated: 3 << 29, epoch: 7, isAttached: true, isMounted: false, device: nil,
            copiesInSync: copies,
            copies: (1...copies).map { copy(on: "v\($0)") }, wait: nil, rebuild: nil)
    }

    static func copy(on node: String, state: String = "in sync") -> CopyView {
        CopyView(
            id: String(repeating: "c", count: 32), node: node, nodeid: "e08dc3c4",
            driveid: "aa11bb22", path: nil, state: state, epoch: 7, stamp: "7.12",
            allocated: 3 << 29, lacks: nil)
    }

    static func rebuild(done: UInt64, of total: UInt64) -> RebuildView {
        RebuildView(
            to: "v1", drivenBy: "v2", regionsDone: done, regionsTotal: total, isLocality: false)
    }
}
