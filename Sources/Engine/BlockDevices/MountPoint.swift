import CBlockDevices
import Glibc

/// The folder at which a volume is mounted. While nothing is mounted nobody can write into it,
/// root neither: whatever is written there would be lost to sight with the next mount.
public enum MountPoint {
    /// Makes the folder if it is missing (its parent must exist) and sets its immutable flag;
    /// where the filesystem has none, the folder is bound onto itself, read-only.
    public static func prepare(_ path: String) throws(BlockDeviceError) {
        guard mkdir(path, 0o700) == 0 || errno == EEXIST else { throw .last("make", path) }
        // Something is mounted there: what is below was prepared before that.
        if try MountTable.entry(at: path) != nil { return }
        if try setImmutable(path, true) { return }
        try Mounting.mount(path, at: path, type: "", flags: UInt(MS_BIND))
        let flags = UInt(MS_REMOUNT) | UInt(MS_BIND) | UInt(MS_RDONLY)
        try Mounting.mount(path, at: path, type: "", flags: flags)
    }

    /// Undoes that for every mount point `vdN` in a folder, so that they can be removed. Goes on
    /// after an error; returns what could not be done.
    public static func release(in folder: String) -> [BlockDeviceError] {
        var failures: [BlockDeviceError] = []
        for name in KernelFile.names(in: folder) where isOurs(name) {
            let path = "\(folder)/\(name)"
            do throws(BlockDeviceError) {
                while try MountTable.entry(at: path) != nil { try Mounting.unmountLazily(path) }
                _ = try setImmutable(path, false)
            } catch {
                failures.append(error)
            }
        }
        return failures
    }

    /// `vd` and a number.
    private static func isOurs(_ name: String) -> Bool {
        name.hasPrefix("vd") && UInt32(name.dropFirst(2)) != nil
    }

    /// False where the filesystem has no such flag.
    private static func setImmutable(
        _ path: String, _ isOn: Bool
    ) throws(BlockDeviceError) -> Bool {
        let folder = try Descriptor(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW)
        if cio_set_immutable(folder.number, isOn ? 1 : 0) == 0 { return true }
        switch errno {
        case ENOTTY, EOPNOTSUPP, EINVAL, ENOSYS, EPERM: return false
        default: throw .last("set the immutable flag of", path)
        }
    }
}
