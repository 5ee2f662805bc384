import Glibc

/// What a dead `ciod` left in the kernel: FUSE disks under its folder, loop devices over them,
/// filesystems on those, wherever they are mounted.
///
/// Nothing here touches the filesystems in question, so nothing can hang on them.
public struct Leftovers: Sendable, Equatable {
    /// Mount points of the filesystems, the last mounted first.
    public var filesystems: [String] = []
    public var loops: [LoopDevice] = []
    /// FUSE disks, the last mounted first.
    public var disks: [Disk] = []

    public struct Disk: Sendable, Equatable {
        public var path: String
        public var connection: UInt32
    }

    /// A disk, the device over it, and where that is mounted.
    public struct DiskStack: Sendable, Equatable {
        public var disk: Disk
        public var loop: LoopDevice
        public var mountPoints: [String]
    }

    /// Linux: Documentation/admin-guide/devices.txt.
    private static let loopMajor: UInt32 = 7

    public var isEmpty: Bool { filesystems.isEmpty && loops.isEmpty && disks.isEmpty }

    /// Looks for them. `folder` must exist.
    public static func find(under folder: String) throws(BlockDeviceError) -> Leftovers {
        guard let resolved = realpath(folder, nil) else { throw .last("resolve", folder) }
        defer { free(resolved) }
        return try find(below: String(cString: resolved))
    }

    /// One disk, and what is above it. Its path is not looked at: who does that asks the disk.
    public static func find(disk path: String) throws(BlockDeviceError) -> Leftovers {
        try find(below: path)
    }

    private static func find(below root: String) throws(BlockDeviceError) -> Leftovers {
        var found = Leftovers()
        found.loops = LoopDevice.attached(under: root)
        for mount in try MountTable.entries().reversed() {
            let isOurs = mount.filesystem == "fuse" && mount.source == FUSEMount.source
            if isOurs, isPath(mount.mountPoint, under: root) {
                found.disks.append(Disk(path: mount.mountPoint, connection: mount.minor))
            } else if found.loops.contains(where: { isOn($0, mount) }) {
                found.filesystems.append(mount.mountPoint)
            }
        }
        return found
    }

    private static func isOn(_ loop: LoopDevice, _ mount: MountEntry) -> Bool {
        loop.minor.map { mount.isOn(loop.path, (loopMajor, $0)) } ?? false
    }

    /// Takes a disk with all that is above it out of what is to be cleared.
    ///
    /// Nil, and nothing is taken out, where it is not whole: another connection is mounted there,
    /// or there is not just one loop device over it.
    public mutating func takeOut(
        _ path: String, connection: UInt32
    ) throws(BlockDeviceError) -> DiskStack? {
        let disk = Disk(path: path, connection: connection)
        guard disks.filter({ $0.path == path }) == [disk] else { return nil }
        let above = loops.filter { $0.backingPath == path }
        guard above.count == 1, let loop = above.first else { return nil }
        let mounts = try MountTable.entries().filter { Self.isOn(loop, $0) }.map(\.mountPoint)
        disks.removeAll { $0 == disk }
        loops.removeAll { $0 == loop }
        filesystems.removeAll { mounts.contains($0) }
        return DiskStack(disk: disk, loop: loop, mountPoints: mounts)
    }

    /// Removes them from the top down, after all I/O on them has been made to fail. Goes on
    /// after an error; returns what could not be done.
    public func clear() -> [BlockDeviceError] {
        var failures: [BlockDeviceError] = []
        func attempt(_ step: () throws(BlockDeviceError) -> Void) {
            do { try step() } catch { failures.append(error) }
        }
        for disk in disks {
            attempt { () throws(BlockDeviceError) in
                try FUSEMount.abort(connection: disk.connection)
            }
        }
        for folder in filesystems {
            attempt { () throws(BlockDeviceError) in try Mounting.unmountLazily(folder) }
        }
        for loop in loops {
            attempt { () throws(BlockDeviceError) in try loop.detach() }
        }
        for disk in disks {
            attempt { () throws(BlockDeviceError) in try Mounting.unmountLazily(disk.path) }
        }
        return failures
    }
}
