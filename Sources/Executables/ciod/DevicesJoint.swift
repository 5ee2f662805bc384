import BlockDevices
import Control
import Glibc
import Logging
import Records
import Units

/// Joins control and the kernel's block devices.
struct DevicesJoint: NodeDevices {
    /// Without links, as the mount table shows it.
    let runDirectory: String
    let deviceDirectory: String
    let holder: DescriptorHolder
    let logger: Logger
    /// What is wrong with every disk alike is told with the first.
    let hasToldOfKernel = ToldOnce()

    init(runDirectory: String, deviceDirectory: String, logger: Logger) throws {
        self.runDirectory = runDirectory
        self.deviceDirectory = deviceDirectory
        self.logger = logger
        holder = DescriptorHolder(
            path: "\(runDirectory)/hold.sock", program: try Self.neighbour("cio-holder"))
    }

    func diskPath(_ vdisk: Int) -> String { "\(runDirectory)/disks/vd\(vdisk)" }
    func link(_ vdisk: Int) -> String { "\(deviceDirectory)/vd\(vdisk)" }

    /// Names such as vd1: only those are ours.
    static func links(in folder: String) -> [String] {
        guard let stream = opendir(folder) else { return [] }
        defer { closedir(stream) }
        var names: [String] = []
        while let entry = readdir(stream) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name.hasPrefix("vd"), Int(name.dropFirst(2)) != nil { names.append(name) }
        }
        return names
    }

    func mountDisk(of volume: VolumeID, vdisk: Int) async throws -> MountedDisk {
        let path = diskPath(vdisk)
        return try await Blocking.run { () throws(BlockDeviceError) in
            let mount = try FUSEMount.mount(at: path)
            do throws(BlockDeviceError) {
                let agreement = try mount.negotiate()
                return MountedDisk(
                    path: path, descriptor: mount.descriptor, connection: mount.connection,
                    isKept: keep(mount, agreement, of: volume))
            } catch {
                try? mount.unmountLazily()
                close(mount.descriptor)
                throw error
            }
        }
    }

    func unmountDisk(_ disk: MountedDisk) async throws {
        try await Blocking.run { () throws(BlockDeviceError) in
            try Filesystem.unmountLazily(disk.path)
            try holder.drop(KeptNote.name(of: disk.path))
        }
    }

    func makeDevice(over disk: MountedDisk, vdisk: Int) async throws -> BlockDevice {
        let link = link(vdisk)
        return try await Blocking.run { () throws(BlockDeviceError) in
            let loop = try LoopDevice.attach(to: disk.path)
            do throws(BlockDeviceError) {
                try DeviceLink.point(link, to: loop.path)
            } catch {
                try loop.detach()
                throw error
            }
            return BlockDevice(path: loop.path, link: link)
        }
    }

    func resize(_ device: BlockDevice, over disk: MountedDisk) async throws {
        try await Blocking.run { () throws(BlockDeviceError) in
            guard let number = UInt32(device.path.dropFirst("/dev/loop".count)) else { return }
            try LoopDevice(number: number).updateCapacity(of: disk.path)
        }
    }

    func removeDevice(_ device: BlockDevice) async throws {
        try await Blocking.run { () throws(BlockDeviceError) in
            try DeviceLink.remove(device.link)
            guard let number = UInt32(device.path.dropFirst("/dev/loop".count)) else { return }
            try LoopDevice(number: number).detach()
        }
    }

    func isInUse(_ device: BlockDevice) async throws -> Bool {
        await Blocking.run { OpenFiles.hold(device.path) }
    }

    func content(of device: BlockDevice) async throws -> DiskContent {
        let content = try await Blocking.run { () throws(BlockDeviceError) in
            try Filesystem.content(of: device.path)
        }
        switch content {
        case .blank: return .blank
        case .filesystem(.xfs): return .filesystem(.xfs)
        case .filesystem(.ext4): return .filesystem(.ext4)
        case .filesystem(.btrfs): return .filesystem(.btrfs)
        case .other: return .other
        }
    }

    func makeFilesystem(
        _ filesystem: WantedVolume.Filesystem, on device: BlockDevice, overwriting: Bool
    ) async throws {
        try await Blocking.run { () throws(BlockDeviceError) in
            try Filesystem.make(filesystem.kind, on: device.path, overwriting: overwriting)
        }
    }

    func mount(
        _ filesystem: WantedVolume.Filesystem, on device: BlockDevice, at folder: String
    ) async throws {
        try await Blocking.run {
            let parent = String(folder[..<(folder.lastIndex(of: "/") ?? folder.startIndex)])
            try Folders.make(parent, mode: 0o711)
            try MountPoint.prepare(folder)
            try Filesystem.check(filesystem.kind, on: device.path)
            try Filesystem.mount(filesystem.kind, on: device.path, at: folder)
        }
    }

    func growFilesystem(
        _ filesystem: WantedVolume.Filesystem, on device: BlockDevice, mountedAt folder: String?
    ) async throws {
        try await Blocking.run { () throws(BlockDeviceError) in
            try Filesystem.grow(filesystem.kind, on: device.path, mountedAt: folder)
        }
    }

    func usedPercent(of folder: String) async throws -> UInt64 {
        try await Blocking.run { () throws(BlockDeviceError) in
            try Filesystem.usedPercent(of: folder)
        }
    }

    func isMounted(_ device: BlockDevice, at folder: String) async throws -> Bool {
        try await Blocking.run { () throws(BlockDeviceError) in
            try Filesystem.isMounted(device.path, at: folder)
        }
    }

    func unmount(_ folder: String) async throws {
        do {
            try await Blocking.run { () throws(BlockDeviceError) in
                try Filesystem.unmount(folder)
            }
        } catch BlockDeviceError.system(_, _, EBUSY) {
            throw DiskInUse()
        }
    }

    func unmountLazily(_ folder: String) async throws {
        try await Blocking.run { () throws(BlockDeviceError) in
            try Filesystem.unmountLazily(folder)
        }
    }
}

extension WantedVolume.Filesystem {
    fileprivate var kind: FilesystemKind {
        switch self {
        case .xfs: .xfs
        case .ext4: .ext4
        case .btrfs: .btrfs
        }
    }
}
