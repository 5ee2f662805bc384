/// One mount, as /proc/self/mountinfo tells it. Reading the table never touches a filesystem,
/// so it cannot hang on a dead one.
public struct MountEntry: Sendable, Equatable {
    public var mountPoint: String
    public var filesystem: String
    public var source: String
    public var major: UInt32
    public var minor: UInt32

    /// Whether what is mounted is a filesystem on this block device. btrfs shows a number of its
    /// own there, and is known by its source.
    func isOn(_ device: String, _ number: (major: UInt32, minor: UInt32)) -> Bool {
        (major, minor) == number || filesystem == "btrfs" && source == device
    }
}

public enum MountTable {
    /// All mounts, in the order in which they were made: a later one covers an earlier one at
    /// the same place.
    public static func entries() throws(BlockDeviceError) -> [MountEntry] {
        try KernelFile.text("/proc/self/mountinfo").split(separator: "\n").compactMap(entry)
    }

    /// The mount that is seen at a path now.
    public static func entry(at mountPoint: String) throws(BlockDeviceError) -> MountEntry? {
        try entries().last { $0.mountPoint == mountPoint }
    }

    /// `36 35 98:0 /root /mount/point options [optional…] - type source superoptions`
    /// (proc_pid_mountinfo(5)).
    static func entry(_ line: Substring) -> MountEntry? {
        let fields = line.split(separator: " ")
        guard let dash = fields.firstIndex(of: "-"), dash >= 6, fields.count > dash + 2 else {
            return nil
        }
        let device = fields[2].split(separator: ":")
        guard device.count == 2, let major = UInt32(device[0]), let minor = UInt32(device[1])
        else { return nil }
        return MountEntry(
            mountPoint: unescaped(fields[4]), filesystem: unescaped(fields[dash + 1]),
            source: unescaped(fields[dash + 2]), major: major, minor: minor)
    }

    /// Space, tab, newline and backslash stand as a backslash and three octal digits.
    static func unescaped(_ field: Substring) -> String {
        var bytes: [UInt8] = []
        var rest = Array(field.utf8)[...]
        while let byte = rest.popFirst() {
            let digits = String(decoding: rest.prefix(3), as: UTF8.self)
            if byte == UInt8(ascii: "\\"), digits.utf8.count == 3,
                let value = UInt8(digits, radix: 8)
            {
                bytes.append(value)
                rest = rest.dropFirst(3)
            } else {
                bytes.append(byte)
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}

/// Whether a path is a folder or lies in it; both absolute, without links and dots.
func isPath(_ path: String, under folder: String) -> Bool {
    path == folder || path.hasPrefix(folder.hasSuffix("/") ? folder : folder + "/")
}
