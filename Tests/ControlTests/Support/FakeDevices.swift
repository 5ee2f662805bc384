import Records
import Synchronization
import Units

@testable import Control

/// What lies on the volumes, for all nodes: a disk's content goes where the volume goes.
final class FakeDisks: Sendable {
    private let contents = Mutex<[Int: DiskContent]>([:])

    subscript(vdisk: Int) -> DiskContent {
        get { contents.withLock { $0[vdisk] ?? .blank } }
        set { contents.withLock { $0[vdisk] = newValue } }
    }
}

/// Stands in for the kernel's devices and mounts, and writes down what was done.
final class FakeDevices: NodeDevices {
    struct State {
        var steps: [String] = []
        var isBusy = false
        var isOpen = false
        var usedPercent: UInt64 = 0
        /// What an earlier process has left.
        var kept: [KeptDevice] = []
        var canKeep = false
        /// Folders where something else than what was mounted is seen.
        var vanished: Set<String> = []
    }

    let disks: FakeDisks
    let state = Mutex(State())

    init(disks: FakeDisks, kept: [KeptDevice]) {
        self.disks = disks
        state.withLock { state in
            state.kept = kept
            state.isBusy = !kept.isEmpty
        }
    }

    var steps: [String] { state.withLock { $0.steps } }
    private func note(_ step: String) { state.withLock { $0.steps.append(step) } }
    private func number(_ device: BlockDevice) -> Int {
        Int(device.path.dropFirst("/dev/loop".count))!
    }

    func recover() async -> LeftDevices { LeftDevices(kept: state.withLock { $0.kept }) }

    func mountDisk(of volume: VolumeID, vdisk: Int) async throws -> MountedDisk {
        note("disk")
        return MountedDisk(
            path: "/run/disks/vd\(vdisk)", descriptor: -1, connection: 0,
            isKept: state.withLock { $0.canKeep })
    }

    func unmountDisk(_ disk: MountedDisk) async throws { note("no disk") }
    func failDisk(_ disk: MountedDisk) async throws { note("fail") }
    func removeKept(_ device: KeptDevice) async -> [String] {
        note("remove kept")
        return []
    }
    func checkKept() async {}

    func makeDevice(over disk: MountedDisk, vdisk: Int) async throws -> BlockDevice {
        note("device")
        return BlockDevice(path: "/dev/loop\(vdisk)", link: "/dev/vdisk/vd\(vdisk)")
    }

    func resize(_ device: BlockDevice, over disk: MountedDisk) async throws { note("resize") }

    func growFilesystem(
        _ filesystem: WantedVolume.Filesystem, on device: BlockDevice, mountedAt folder: String?
    ) async throws { note("grow \(filesystem.rawValue) \(folder ?? "unmounted")") }

    func usedPercent(of folder: String) async throws -> UInt64 {
        state.withLock { $0.usedPercent }
    }

    func removeDevice(_ device: BlockDevice) async throws { note("no device") }
    func isInUse(_ device: BlockDevice) async throws -> Bool { state.withLock { $0.isOpen } }
    func content(of device: BlockDevice) async throws -> DiskContent { disks[number(device)] }

    func makeFilesystem(
        _ filesystem: WantedVolume.Filesystem, on device: BlockDevice, overwriting: Bool
    ) async throws {
        note(overwriting ? "mkfs over" : "mkfs")
        disks[number(device)] = .filesystem(filesystem)
    }

    func mount(
        _ filesystem: WantedVolume.Filesystem, on device: BlockDevice, at folder: String
    ) async throws { note("mount \(filesystem.rawValue) \(folder)") }

    func isMounted(_ device: BlockDevice, at folder: String) async throws -> Bool {
        state.withLock { $0.vanished.remove(folder) == nil }
    }

    func unmount(_ folder: String) async throws {
        if state.withLock({ $0.isBusy }) { throw DiskInUse() }
        note("unmount")
    }

    func unmountLazily(_ folder: String) async throws { note("unmount lazily") }
}
