import Records

/// The machine's block devices and mounts, as control sees them. Every step may take long: it
/// waits for I/O that our own engine serves, so none runs on a thread that serves it.
public protocol NodeDevices: Sendable {
    /// Takes away what a dead instance of this node left in the kernel. Returns what could not
    /// be done, a line each.
    func clearLeftovers() async -> [String]

    /// Mounts the volume's FUSE file. The engine has to serve the descriptor from then on.
    func mountDisk(vdisk: Int) async throws -> MountedDisk
    func unmountDisk(_ disk: MountedDisk) async throws

    /// The loop device over the disk's file, and the link `<dev>/vdN` to it: the link's path.
    func makeDevice(over disk: MountedDisk, vdisk: Int) async throws -> BlockDevice
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

    public init(path: String, descriptor: Int32, connection: UInt32) {
        self.path = path
        self.descriptor = descriptor
        self.connection = connection
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
