import Glibc

/// The link by which a volume's device is known, /dev/vdisk/vdN.
public enum DeviceLink {
    /// Makes the link, or turns it to another device in one step. Its folder must exist.
    public static func point(_ link: String, to device: String) throws(BlockDeviceError) {
        try checkName(link)
        let temporary = "\(link).new"
        guard unlink(temporary) == 0 || errno == ENOENT else { throw .last("remove", temporary) }
        guard symlink(device, temporary) == 0 else { throw .last("link", temporary) }
        guard rename(temporary, link) == 0 else { throw .last("rename", temporary) }
    }

    /// Removes the link if it is there.
    public static func remove(_ link: String) throws(BlockDeviceError) {
        try checkName(link)
        guard unlink(link) == 0 || errno == ENOENT else { throw .last("remove", link) }
    }

    private static func checkName(_ link: String) throws(BlockDeviceError) {
        var status = stat()
        guard lstat(link, &status) == 0 else { return }
        guard status.st_mode & Glibc.S_IFMT == Glibc.S_IFLNK else { throw .notALink(link) }
    }
}
