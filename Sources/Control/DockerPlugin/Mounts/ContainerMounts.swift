import FoundationEssentials
import Glibc

/// The volumes that containers hold: every container has its mounts in a mount namespace of its
/// own, and keeps them there whatever becomes of the mount that they were made from.
///
/// Told by the kernel alone (/proc/PID/mountinfo), so it is true without Docker, and reading it
/// touches no filesystem.
enum ContainerMounts {
    /// A block device, as mountinfo names it.
    struct Device: Hashable, Sendable {
        var major: UInt32
        var minor: UInt32
    }

    /// The namespaces that hold the given folder of a device's filesystem, by their numbers.
    ///
    /// Services of the host may have namespaces too, with copies of all mounts of the host: those
    /// show the filesystem from its root. A container has been given the folder only.
    static func holders(
        ofFolder folder: String, on devices: Set<Device>, processes: String = "/proc"
    ) -> [Device: Set<String>] {
        var seen: Set<String> = []
        var holders: [Device: Set<String>] = [:]
        for process in names(in: processes) where process.utf8.allSatisfy(isDigit) {
            guard let namespace = target(of: "\(processes)/\(process)/ns/mnt"),
                seen.insert(namespace).inserted,
                let table = FileManager.default.contents(
                    atPath: "\(processes)/\(process)/mountinfo")
            else { continue }
            for mount in String(decoding: table, as: UTF8.self).split(separator: "\n") {
                guard let (device, root) = parse(mount), devices.contains(device),
                    root == folder || root.hasPrefix(folder + "/")
                else { continue }
                holders[device, default: []].insert(number(of: namespace))
            }
        }
        return holders
    }

    /// The device behind a path; nil where there is none.
    static func device(at path: String) -> Device? {
        var status = stat()
        guard stat(path, &status) == 0, status.st_mode & S_IFMT == S_IFBLK else { return nil }
        let number = UInt64(status.st_rdev)
        // <sys/sysmacros.h>
        return Device(
            major: UInt32((number >> 8) & 0xfff | (number >> 32) & ~0xfff),
            minor: UInt32(number & 0xff | (number >> 12) & ~0xff))
    }

    /// The device number of what is mounted at a path: for most filesystems that of the device,
    /// for btrfs one of its own.
    static func mounted(at path: String) -> Device? {
        let table = FileManager.default.contents(atPath: "/proc/self/mountinfo") ?? Data()
        return String(decoding: table, as: UTF8.self).split(separator: "\n").last { line in
            line.split(separator: " ", maxSplits: 5).dropFirst(4).first.map(String.init) == path
        }.flatMap(parse)?.0
    }

    /// `36 35 98:0 /root /mount/point …` (proc_pid_mountinfo(5)). A root with a blank in it is
    /// escaped, and none of ours.
    static func parse(_ line: Substring) -> (Device, root: Substring)? {
        let fields = line.split(separator: " ", maxSplits: 4)
        guard fields.count == 5 else { return nil }
        let numbers = fields[2].split(separator: ":").compactMap { UInt32($0) }
        guard numbers.count == 2 else { return nil }
        return (Device(major: numbers[0], minor: numbers[1]), fields[3])
    }

    /// `mnt:[4026531841]`
    private static func number(of namespace: String) -> String {
        namespace.filter { $0.isASCII && $0.isNumber }
    }

    private static func isDigit(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
    }

    private static func names(in folder: String) -> [String] {
        (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
    }

    private static func target(of link: String) -> String? {
        try? FileManager.default.destinationOfSymbolicLink(atPath: link)
    }
}
