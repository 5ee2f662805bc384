import Records
import Units

/// The machine's block devices and mounts, as control sees them. Every step may take long: it
/// waits for I/O that our own engine serves, so none runs on a thread that serves it.
public protocol NodeDevices: Sendable {
    /// Finds what an instance of this node before this one has left in the kernel. Devices that
    /// were kept whole stay, and wait; the rest is taken away. To be called first, and once.
    func recover() async -> LeftDevices

    /// Mounts the volume's FUSE file, and has it kept where that is possible. The engine has to
    /// serve the descriptor from then on.
    func mountDisk(of volume: VolumeID, vdisk: Int) async throws -> MountedDisk
    func unmountDisk(_ disk: MountedDisk) async throws
    /// Whatever waits for the disk, and all that comes later, fails: nothing hangs. Throws where
    /// that cannot be had.
    func failDisk(_ disk: MountedDisk) async throws
    /// Takes a kept device away, from all that use it, after `failDisk`. Its descriptor is closed.
    /// Returns what could not be done, a line each.
    func removeKept(_ device: KeptDevice) async -> [String]
    /// Sees to it that what is kept would outlive this process.
    func checkKept() async

    /// The loop device over the disk's file, and the link `<dev>/vdN` to it: the link's path.
    func makeDevice(over disk: MountedDisk, vdisk: Int) async throws -> BlockDevice
    /// Shows the device's users the disk's new size.
    func resize(_ device: BlockDevice, over disk: MountedDisk) async throws
    func removeDevice(_ device: BlockDevice) async throws

    /// Whether a program or a mount has the device open for itself.
    func isInUse(_ device: BlockDevice) async throws -> Bool

    func content(of device: BlockDevice) async throws -> DiskContent
    /// - Parameter overwriting: what an interrupted making of a filesystem has left.
    func makeFilesystem(
        _ filesystem: WantedVolume.Filesystem, on device: BlockDevice, overwriting: Bool
    ) async throws

    /// Mounts at a folder, which is made if it is missing.
    func mount(
        _ filesystem: WantedVolume.Filesystem, on device: BlockDevice, at folder: String
    ) async throws
    /// Whether what is seen at the folder now is this device's filesystem.
    func isMounted(_ device: BlockDevice, at folder: String) async throws -> Bool
    /// Over the whole device.
    /// - Parameter folder: where it is mounted; nil for one that is not, which only ext4 can.
    func growFilesystem(
        _ filesystem: WantedVolume.Filesystem, on device: BlockDevice, mountedAt folder: String?
    ) async throws
    /// Of a mounted filesystem, as its users see it.
    func usedPercent(of folder: String) async throws -> UInt64

    /// Throws `DiskInUse` where something uses it.
    func unmount(_ folder: String) async throws
    func unmountLazily(_ folder: String) async throws
}

/// A volume's file, mounted through FUSE.
public struct MountedDisk: Hashable, Sendable {
    public var path: String
    /// The connection's open /dev/fuse, which the engine closes.
    public var descriptor: Int32
    /// The connection's name in the kernel.
    public var connection: UInt32
    /// Another process has the descriptor open too: I/O waits while there is no `ciod`.
    public var isKept: Bool

    public init(path: String, descriptor: Int32, connection: UInt32, isKept: Bool = false) {
        self.path = path
        self.descriptor = descriptor
        self.connection = connection
        self.isKept = isKept
    }
}

/// What is left of an earlier instance of a node.
public struct LeftDevices: Sendable {
    public var kept: [KeptDevice]
    /// What could not be taken away, a line each.
    public var failures: [String]

    public init(kept: [KeptDevice] = [], failures: [String] = []) {
        self.kept = kept
        self.failures = failures
    }
}

/// A volume's device that has outlived the process that served it: its I/O waits.
public struct KeptDevice: Hashable, Sendable {
    public var volume: VolumeID
    public var disk: MountedDisk
    public var device: BlockDevice
    /// Where filesystems on it are mounted.
    public var mountPoints: [String]

    public init(
        volume: VolumeID, disk: MountedDisk, device: BlockDevice, mountPoints: [String]
    ) {
        self.volume = volume
        self.disk = disk
        self.device = device
        self.mountPoints = mountPoints
    }
}

public struct BlockDevice: Hashable, Sendable {
    /// The device itself, `/dev/loopN`.
    public var path: String
    /// The name by which it is known, `<dev>/vdN`.
    public var link: String

    public init(path: String, link: String) {
        self.path = path
        self.link = link
    }
}

public enum DiskContent: Equatable, Sendable {
    case blank
    case filesystem(WantedVolume.Filesystem)
    /// Anything else, a filesystem whose making was interrupted among it.
    case other
}

/// A mount is busy.
public struct DiskInUse: Error, Equatable, Sendable {
    public init() {}
}
