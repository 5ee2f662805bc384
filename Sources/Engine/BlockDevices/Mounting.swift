import CBlockDevices
import Glibc

/// The system calls for mounts. Each may wait for I/O of the device, so none is for a thread
/// that serves it.
enum Mounting {
    static func mount(
        _ source: String, at path: String, type: String, flags: UInt = 0, options: String = ""
    ) throws(BlockDeviceError) {
        let status = options.withCString {
            CBlockDevices.mount(source, path, type, flags, $0)
        }
        guard status == 0 else { throw .last("mount", "\(source) at \(path)") }
    }

    static func unmount(_ path: String) throws(BlockDeviceError) {
        guard umount2(path, Int32(UMOUNT_NOFOLLOW)) == 0 else {
            throw .last("unmount", path)
        }
    }

    /// Takes the mount out of sight at once; it ends when its last user does.
    static func unmountLazily(_ path: String) throws(BlockDeviceError) {
        let flags = Int32(MNT_DETACH | UMOUNT_NOFOLLOW)
        guard umount2(path, flags) == 0 else { throw .last("unmount", path) }
    }
}
