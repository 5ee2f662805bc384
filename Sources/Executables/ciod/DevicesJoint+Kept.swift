import BlockDevices
import Control
import FUSEProtocol
import FoundationEssentials
import Glibc
import Records
import Synchronization
import Units

/// What a holder is told of a volume's disk, for the `ciod` that comes next: `1 VOLUME CONNECTION`.
/// The first number is that of this form.
struct KeptNote: Equatable {
    var volume: VolumeID
    /// The FUSE connection's name in the kernel.
    var connection: UInt32

    init(volume: VolumeID, connection: UInt32) {
        self.volume = volume
        self.connection = connection
    }

    init?(_ text: String) {
        let words = text.split(separator: " ")
        guard words.count == 3, words[0] == "1", let volume = VolumeID(text: String(words[1])),
            let connection = UInt32(words[2])
        else { return nil }
        self.init(volume: volume, connection: connection)
    }

    var text: String { "1 \(volume.text) \(connection)" }

    /// A disk is kept under the last part of its path, `vdN`.
    static func name(of path: String) -> String {
        String(path[path.index(path.lastIndex(of: "/") ?? path.startIndex, offsetBy: 1)...])
    }

    static func vdisk(_ name: String) -> Int? {
        name.hasPrefix("vd") ? Int(name.dropFirst(2)) : nil
    }
}

final class ToldOnce: Sendable {
    private let isTold = Atomic<Bool>(false)
    var isFirst: Bool { !isTold.exchange(true, ordering: .relaxed) }
}

// Devices that outlive the process.
extension DevicesJoint {
    /// A program beside this one: of the same package.
    static func neighbour(_ name: String) throws -> String {
        guard let path = realpath("/proc/self/exe", nil) else {
            throw Folders.failure("resolve", "/proc/self/exe")
        }
        defer { free(path) }
        let own = String(cString: path)
        return own[..<(own.lastIndex(of: "/") ?? own.startIndex)] + "/\(name)"
    }

    /// Whether the disk would outlive this process.
    func keep(
        _ mount: FUSEMount, _ agreement: FUSEAgreement, of volume: VolumeID
    ) -> Bool {
        guard agreement.canResend else {
            if hasToldOfKernel.isFirst {
                logger.warning(
                    """
                    mounted volumes do not survive the end of ciod: this kernel cannot send \
                    requests again, which Linux 6.9 can
                    """)
            }
            return false
        }
        let note = KeptNote(volume: volume, connection: mount.connection)
        do {
            try holder.hold(
                mount.descriptor, as: KeptNote.name(of: mount.path), note: note.text)
            return true
        } catch {
            logger.warning("\(mount.path) will not survive this process: \(error)")
            return false
        }
    }

    func checkKept() async {
        await Blocking.run {
            do { try holder.check() } catch {
                logger.warning("mounted volumes would not survive this process: \(error)")
            }
        }
    }

    func recover() async -> LeftDevices {
        await Blocking.run {
            var left = LeftDevices()
            do {
                var all = try Leftovers.find(under: runDirectory)
                left = adopt(&all)
                left.failures += all.clear().map(\.description)
            } catch {
                left.failures.append("\(error)")
            }
            let links = left.kept.map(\.device.link)
            for link in Self.links(in: deviceDirectory).map({ "\(deviceDirectory)/\($0)" })
            where !links.contains(link) {
                do { try DeviceLink.remove(link) } catch { left.failures.append("\(error)") }
            }
            return left
        }
    }

    /// Takes what is whole out of the leftovers, and lets go of the rest.
    private func adopt(_ all: inout Leftovers) -> LeftDevices {
        var left = LeftDevices()
        let held: [HeldDescriptor]
        do { held = try holder.adopt() } catch {
            return LeftDevices(failures: ["\(error)"])
        }
        for one in held {
            do {
                if let kept = try adopt(one, from: &all) {
                    left.kept.append(kept)
                    continue
                }
                try holder.drop(one.name)
            } catch {
                left.failures.append("\(error)")
            }
            close(one.descriptor)
        }
        return left
    }

    private func adopt(
        _ held: HeldDescriptor, from all: inout Leftovers
    ) throws(BlockDeviceError) -> KeptDevice? {
        guard let note = KeptNote(held.note), let vdisk = KeptNote.vdisk(held.name),
            let stack = try all.takeOut(diskPath(vdisk), connection: note.connection)
        else { return nil }
        try DeviceLink.point(link(vdisk), to: stack.loop.path)
        return KeptDevice(
            volume: note.volume,
            disk: MountedDisk(
                path: stack.disk.path, descriptor: held.descriptor,
                connection: stack.disk.connection, isKept: true),
            device: BlockDevice(path: stack.loop.path, link: link(vdisk)),
            mountPoints: stack.mountPoints)
    }

    /// Its descriptors may be open in many places, so the connection is ended; but only while it
    /// is mounted: its number may be another's after that.
    func failDisk(_ disk: MountedDisk) async throws {
        try await Blocking.run { () throws(BlockDeviceError) in
            if try MountTable.entry(at: disk.path)?.minor == disk.connection {
                try FUSEMount.abort(connection: disk.connection)
            }
            try holder.drop(KeptNote.name(of: disk.path))
        }
    }

    func removeKept(_ device: KeptDevice) async -> [String] {
        await Blocking.run {
            close(device.disk.descriptor)
            var failures: [String] = []
            do {
                try DeviceLink.remove(device.device.link)
                failures = try Leftovers.find(disk: device.disk.path).clear().map(\.description)
            } catch {
                failures.append("\(error)")
            }
            return failures
        }
    }
}
