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

    /// Linux: Documentation/admin-guide/devices.txt.
    private static let loopMajor: UInt32 = 7

    public var isEmpty: Bool { filesystems.isEmpty && loops.isEmpty && disks.isEmpty }

    /// Looks for them. `folder` must exist.
    public static func find(under folder: String) throws(BlockDeviceError) -> Leftovers {
        guard let resolved = realpath(folder, nil) else { throw .last("resolve", folder) }
        let root = String(cString: resolved)
        free(resolved)
        var found = Leftovers()
        found.loops = LoopDevice.attached(under: root)
        for mount in try MountTable.entries().reversed() {
            let isOurs = mount.filesystem == "fuse" && mount.source == FUSEMount.source
            if isOurs, isPath(mount.mountPoint, under: root) {
                found.disks.append(Disk(path: mount.mountPoint, connection: mount.minor))
            } else if mount.major == loopMajor,
                found.loops.contains(where: { $0.minor == mount.minor })
            {
                found.filesystems.append(mount.mountPoint)
            }
        }
        return found
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
