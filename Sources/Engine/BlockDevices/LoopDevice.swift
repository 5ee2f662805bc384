import CBlockDevices
import Glibc

/// A loop device: the block device over a FUSE disk's file.
public struct LoopDevice: Sendable, Hashable {
    public let number: UInt32

    public init(number: UInt32) { self.number = number }

    public var path: String { "/dev/loop\(number)" }

    /// The size and alignment of its requests: cio's block, so that no write of a filesystem
    /// needs a read first.
    public static let sectorBytes: UInt32 = 4096
    /// A device that was free may be taken before we have it, as often as others ask too.
    static let triesMax = 100

    /// Its minor number; its major one is 7.
    var minor: UInt32? {
        KernelFile.line("/sys/block/loop\(number)/dev").flatMap { UInt32($0.dropFirst(2)) }
    }

    private var controls: String { "/sys/block/loop\(number)/loop" }

    /// Attaches a free device to a file, with direct I/O. Waits for the file's first answers.
    public static func attach(to backingPath: String) throws(BlockDeviceError) -> LoopDevice {
        let file = try Descriptor(backingPath, O_RDWR | cio_open_direct)
        let control = try Descriptor("/dev/loop-control", O_RDWR)
        for _ in 0..<triesMax {
            let number = ioctl(control.number, UInt(LOOP_CTL_GET_FREE))
            guard number >= 0 else { throw .last("find a free device with", "/dev/loop-control") }
            let device = LoopDevice(number: UInt32(number))
            guard try device.configure(file.number) else { continue }
            guard device.doesDirectIO else {
                try device.detach()
                throw .noDirectIO(device: device.path)
            }
            return device
        }
        throw .loopDevicesContended
    }

    /// False when another process was faster.
    private func configure(_ file: Int32) throws(BlockDeviceError) -> Bool {
        let device: Descriptor
        do {
            try makeNode()
            device = try Descriptor(path, O_RDWR)
        } catch .system(_, _, let number) where Self.isRace(number) {
            return false
        }
        var config = loop_config()
        config.fd = UInt32(file)
        config.block_size = Self.sectorBytes
        config.info.lo_flags = UInt32(LO_FLAGS_DIRECT_IO)
        guard ioctl(device.number, UInt(LOOP_CONFIGURE), &config) != 0 else { return true }
        guard Self.isRace(errno) else { throw .last("configure", path) }
        return false
    }

    /// Taken by another process, or removed by one, since it was found free.
    private static func isRace(_ number: Int32) -> Bool {
        number == EBUSY || number == ENXIO || number == ENODEV || number == ENOENT
    }

    /// In a container /dev shows no device that was made after it started.
    private func makeNode() throws(BlockDeviceError) {
        guard access(path, F_OK) != 0, let line = KernelFile.line("/sys/block/loop\(number)/dev")
        else { return }
        let parts = line.split(separator: ":").compactMap { UInt32($0) }
        guard parts.count == 2 else { return }
        let made = mknod(path, Glibc.S_IFBLK | 0o600, cio_make_device(parts[0], parts[1]))
        guard made == 0 || errno == EEXIST else { throw .last("make", path) }
    }

    private var doesDirectIO: Bool { KernelFile.line("\(controls)/dio") == "1" }

    /// The path of the file behind it; nil for a free device.
    public var backingPath: String? { KernelFile.line("\(controls)/backing_file") }

    /// Takes the device off its file. A device that is open or mounted stays until it is not.
    public func detach() throws(BlockDeviceError) {
        let device = try Descriptor(path, O_RDWR)
        guard ioctl(device.number, UInt(LOOP_CLR_FD)) == 0 || errno == ENXIO else {
            throw .last("detach", path)
        }
    }

    /// Takes over the file's new size.
    public func updateCapacity(of backingPath: String) throws(BlockDeviceError) {
        // FUSE learns a file's new size only when somebody asks for it, and then leaves the inode
        // as it was if a write has ended meanwhile (fuse_change_attributes): reads beyond the old
        // end would fail. The answer to a truncation it takes in any case; the volume has that
        // size already, so nothing is truncated.
        var status = stat()
        guard stat(backingPath, &status) == 0 else { throw .last("stat", backingPath) }
        guard truncate(backingPath, status.st_size) == 0 else {
            throw .last("take the size of", backingPath)
        }
        let device = try Descriptor(path, O_RDWR)
        guard ioctl(device.number, UInt(LOOP_SET_CAPACITY)) == 0 else {
            throw .last("resize", path)
        }
    }

    /// Every device that is attached to something, without touching any of them.
    public static func attached() -> [LoopDevice] {
        KernelFile.names(in: "/sys/block").compactMap { name in
            guard name.hasPrefix("loop"), let number = UInt32(name.dropFirst(4)) else { return nil }
            let device = LoopDevice(number: number)
            return device.backingPath == nil ? nil : device
        }
    }

    /// The devices whose files lie under a folder.
    public static func attached(under folder: String) -> [LoopDevice] {
        attached().filter { $0.backingPath.map { isPath($0, under: folder) } ?? false }
    }
}
