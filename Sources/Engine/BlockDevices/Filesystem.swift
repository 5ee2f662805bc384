import CBlockDevices
import Glibc

/// The filesystems that a volume can carry.
public enum FilesystemKind: String, Sendable, CaseIterable {
    case xfs
    case ext4
    case btrfs
}

/// What a device holds, as far as cio must know it.
public enum DeviceContent: Sendable, Equatable {
    /// Zeros where every filesystem has its superblock.
    case blank
    /// A whole filesystem, which may need its journal replayed.
    case filesystem(FilesystemKind)
    /// Anything else, a filesystem whose making was interrupted among it.
    case other
}

/// Making, mounting and recognizing filesystems. All of it waits for the device's I/O.
public enum Filesystem {
    /// Enough for the superblock of every common filesystem: btrfs has the last, at 64 KiB.
    static let probedBytes = 128 << 10

    public static func content(of device: String) throws(BlockDeviceError) -> DeviceContent {
        let file = try Descriptor(device, O_RDONLY)
        var start = [UInt8](repeating: 0, count: probedBytes)
        var filled = 0
        while filled < start.count {
            let count = start.withUnsafeMutableBytes {
                pread(file.number, $0.baseAddress! + filled, $0.count - filled, off_t(filled))
            }
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw .last("read", device) }
            if count == 0 { break }
            filled += count
        }
        return content(start)
    }

    /// Superblocks as mkfs leaves them. mkfs.xfs writes its magic first and clears
    /// `sb_inprogress` (byte 126) last; mkfs.ext4 writes its superblock last; mkfs.btrfs writes
    /// another magic until it has ended.
    static func content(_ start: [UInt8]) -> DeviceContent {
        if start.prefix(4).elementsEqual("XFSB".utf8) {
            return start[126] == 0 ? .filesystem(.xfs) : .other
        }
        if start[1080] == 0x53, start[1081] == 0xef { return .filesystem(.ext4) }
        if start[0x10040..<0x10048].elementsEqual("_BHRfS_M".utf8) { return .filesystem(.btrfs) }
        return start.allSatisfy { $0 == 0 } ? .blank : .other
    }

    /// Makes a filesystem without discarding first.
    ///
    /// - Parameter overwriting: false is for a volume of nothing but holes, and refuses any
    ///   other; true is for one whose making was interrupted.
    public static func make(
        _ kind: FilesystemKind, on device: String, overwriting: Bool
    ) throws(BlockDeviceError) {
        if !overwriting, try content(of: device) != .blank { throw .notBlank(device: device) }
        switch kind {
        case .xfs:
            try Tool.run("mkfs.xfs", ["-q", "-K"] + (overwriting ? ["-f"] : []) + [device])
        case .ext4:
            // On zeros neither journal nor inode tables are written, now or later: the volume
            // stays thin.
            let zeros = overwriting ? "lazy_itable_init=0" : "assume_storage_prezeroed=1"
            try Tool.run("mkfs.ext4", ["-q", "-F", "-E", "nodiscard,\(zeros)", device])
        case .btrfs:
            // One copy of its metadata: the volume has copies of its own. mkfs.btrfs asks every
            // mounted loop device for its file, and gives up at one whose disk has died; that
            // ours is not mounted, the kernel sees to by itself (O_EXCL).
            let force = overwriting ? ["-f"] : []
            try Tool.run(
                "mkfs.btrfs", ["-q", "-K", "-m", "single"] + force + [device],
                hidingLoopMounts: true)
        }
    }

    /// Makes a filesystem as large as its device.
    ///
    /// - Parameter folder: where it is mounted. Unmounted, only ext4 grows, after a full check;
    ///   mounted, it needs CAP_SYS_RESOURCE for it.
    public static func grow(
        _ kind: FilesystemKind, on device: String, mountedAt folder: String?
    ) throws(BlockDeviceError) {
        switch (kind, folder) {
        case (.xfs, let folder?): try Tool.run("xfs_growfs", [folder])
        case (.btrfs, let folder?):
            try Tool.run("btrfs", ["filesystem", "resize", "max", folder])
        case (.ext4, _?): try Tool.run("resize2fs", [device])
        case (.ext4, nil):
            try Tool.run("e2fsck", ["-f", "-p", device], accepting: [0, 1])
            try Tool.run("resize2fs", [device])
        case (.xfs, nil), (.btrfs, nil): throw .notMounted(device: device)
        }
    }

    /// How full it is for a user who is not root, in percent; rounded up, as df does.
    public static func usedPercent(of folder: String) throws(BlockDeviceError) -> UInt64 {
        var status = statvfs()
        guard statvfs(folder, &status) == 0 else { throw .last("look at", folder) }
        let used = UInt64(status.f_blocks - status.f_bfree)
        let total = used + UInt64(status.f_bavail)
        return total == 0 ? 0 : (used * 100 + total - 1) / total
    }

    /// What is done before a mount, which replays the journal by itself.
    ///
    /// ext4 gets `e2fsck -p`: at once done where nothing is wrong, and it repairs what can be
    /// repaired without a question. XFS has no such tool: its mount either replays the log or
    /// refuses, and `mount` says then what `xfs_repair -n` finds. btrfs needs no journal, and tells
    /// what is wrong as it is read. Nothing else is ever repaired by itself.
    public static func check(_ kind: FilesystemKind, on device: String) throws(BlockDeviceError) {
        guard kind == .ext4 else { return }
        // 1: errors were found and corrected; e2fsck(8).
        try Tool.run("e2fsck", ["-p", device], accepting: [0, 1])
    }

    /// Mounts a filesystem at a folder, which is made if it is missing (its parent must exist), and
    /// looks that it is there.
    public static func mount(
        _ kind: FilesystemKind, on device: String, at folder: String
    ) throws(BlockDeviceError) {
        guard mkdir(folder, 0o700) == 0 || errno == EEXIST else { throw .last("make", folder) }
        // After a takeover on one machine the dead mount may still be there, and XFS refuses a
        // second one with its UUID.
        let options = kind == .xfs ? "nouuid" : ""
        do throws(BlockDeviceError) {
            try Mounting.mount(device, at: folder, type: kind.rawValue, options: options)
        } catch .system(_, _, EUCLEAN) where kind == .xfs {
            // Changes nothing; its findings are the error.
            try Tool.run("xfs_repair", ["-n", device])
            throw .system(operation: "mount", object: "\(device) at \(folder)", errno: EUCLEAN)
        }
        guard try isMounted(device, at: folder) else { throw .mountVanished(folder) }
    }

    /// Whether what is seen at a folder now is that device's filesystem.
    public static func isMounted(
        _ device: String, at folder: String
    ) throws(BlockDeviceError) -> Bool {
        var status = stat()
        guard stat(device, &status) == 0 else { throw .last("look at", device) }
        guard let entry = try MountTable.entry(at: folder) else { return false }
        if cio_make_device(entry.major, entry.minor) == status.st_rdev { return true }
        // btrfs goes by a number of its own, and names its device as the source.
        var source = stat()
        return entry.filesystem == FilesystemKind.btrfs.rawValue && stat(entry.source, &source) == 0
            && source.st_rdev == status.st_rdev
    }

    /// Unmounts; EBUSY where something uses it.
    public static func unmount(_ folder: String) throws(BlockDeviceError) {
        try Mounting.unmount(folder)
    }

    /// Unmounts at once; it ends when its last user does.
    public static func unmountLazily(_ folder: String) throws(BlockDeviceError) {
        try Mounting.unmountLazily(folder)
    }
}
