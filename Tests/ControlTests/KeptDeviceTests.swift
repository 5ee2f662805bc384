import API
import EngineCommands
import Metadata
import Records
import Testing
import Units

@testable import Control

/// Devices that outlive the process that serves them.
@Suite struct KeptDeviceTests {
    /// A volume whose filesystem is mounted at the first node, and in use there.
    private func mounted(
        _ nodes: [TestNode], on copies: [String], isKept: Bool = true
    ) async throws -> WantedVolume {
        nodes[0].devices.state.withLock { $0.canKeep = isKept }
        _ = try await nodes[0].requests.create(
            CreateVolumeRequest(name: "data", copiesOn: copies, node: "v1"))
        _ = try await nodes[0].requests.attach("data", AttachRequest(mount: true))
        nodes[0].devices.state.withLock { $0.isBusy = true }
        return try #require(nodes[0].view.volume(named: "data")?.record)
    }

    private func kept(_ volume: WantedVolume) -> KeptDevice {
        KeptDevice(
            volume: volume.id,
            disk: MountedDisk(
                path: "/run/disks/vd\(volume.vdisk)", descriptor: -1, connection: 0, isKept: true),
            device: BlockDevice(
                path: "/dev/loop\(volume.vdisk)", link: "/dev/vdisk/vd\(volume.vdisk)"),
            mountPoints: ["/volumes/v1/vd\(volume.vdisk)", "/elsewhere"])
    }

    /// The device is told its size anew, as it may have been told an older one.
    private func changes(_ node: TestNode) -> [String] {
        node.devices.steps.filter { $0 != "resize" }
    }

    private func owner(_ volume: WantedVolume, _ view: RecordsView) -> NodeID? {
        view.configurations[volume.id]?.record.owner?.node
    }

    @Test func aVolumeThatNobodyHasTakenGoesOnInANewEpoch() async throws {
        try await TestCluster.with(2) { cluster, nodes in
            let volume = try await mounted(nodes, on: ["v1"])
            let epoch = try #require(nodes[0].view.configurations[volume.id]?.record.epoch)
            await nodes[0].die()
            let again = try await cluster.start("v1", again: nodes[0], kept: [kept(volume)])
            let text = try await again.event(.volumeGoesOn)
            #expect(text.contains("epoch \(epoch + 1)"))
            try await again.until("mounted as before") { view in
                view.statuses[volume.id]?.isMounted == true ? true : nil
            }
            #expect(changes(again).isEmpty)
            let commands = again.engine.commands
            let served = try #require(commands.firstIndex(of: "serveFUSE"))
            #expect(commands.firstIndex(of: "openOwner")! < served)
            // It is a device like any other.
            again.devices.state.withLock { $0.isBusy = false }
            _ = try await again.requests.detach("data", DetachRequest())
            #expect(changes(again) == ["unmount", "no device", "no disk"])
        }
    }

    @Test func aVolumeThatAnotherNodeHasTakenDoesNotGoOn() async throws {
        try await TestCluster.with(2) { cluster, nodes in
            let volume = try await mounted(nodes, on: ["v1", "v2"])
            await nodes[0].die()
            try await nodes[1].until("taken over") { view in
                owner(volume, view) == nodes[1].id ? true : nil
            }
            let again = try await cluster.start("v1", again: nodes[0], kept: [kept(volume)])
            let text = try await again.event(.keptDeviceRemoved)
            #expect(text.contains("the owner is v2"))
            #expect(again.devices.steps == ["fail", "remove kept"])
            #expect(!again.engine.commands.contains("openOwner"))
            // It can be had again, from the beginning.
            _ = try await again.requests.attach("data", AttachRequest(mount: true))
            #expect(again.devices.steps.contains("mount xfs /volumes/v1/vd1"))
        }
    }

    @Test func anotherOwnerInBetweenIsEnough() async throws {
        try await TestCluster.with(2) { cluster, nodes in
            let volume = try await mounted(nodes, on: ["v1", "v2"])
            await nodes[0].die()
            try await nodes[1].until("taken over") { view in
                owner(volume, view) == nodes[1].id ? true : nil
            }
            // The order is back at the first node before that one is.
            func order() async throws {
                try await cluster.store.update(Keys.wanted(volume.id), as: WantedVolume.self) {
                    var record = $0!
                    record.attachTo = nodes[0].id
                    record.mount = true
                    return record
                }
            }
            try await order()
            let again = try await cluster.start("v1", again: nodes[0], kept: [kept(volume)])
            _ = try await again.event(.keptDeviceRemoved)
            // The lead may have taken it from the node that was dead.
            try await order()
            try await again.until("mounted anew") { view in
                view.statuses[volume.id]?.node == again.id
                    && view.statuses[volume.id]?.isMounted == true ? true : nil
            }
            #expect(
                again.devices.steps
                    == ["fail", "remove kept", "disk", "device", "mount xfs /volumes/v1/vd1"])
        }
    }

    /// Ordered to another node while no `ciod` was here that could have refused it.
    @Test func anOrderToLeaveIsTakenBackWhereTheDeviceIsInUse() async throws {
        try await TestCluster.with(2) { cluster, nodes in
            let volume = try await mounted(nodes, on: ["v1", "v2"])
            // As of a crash: its lease is there for a while.
            nodes[0].task.cancel()
            await nodes[0].task.value
            try await cluster.store.update(Keys.wanted(volume.id), as: WantedVolume.self) {
                var record = $0!
                record.attachTo = nodes[1].id
                return record
            }
            let again = try await cluster.start("v1", again: nodes[0], kept: [kept(volume)])
            _ = try await again.event(.volumeIsOpen)
            try await again.until("here again") { view in
                view.wanted[volume.id]?.record.attachTo == again.id ? true : nil
            }
            #expect(changes(again).isEmpty)
        }
    }

    @Test func aFilesystemThatWasBeingMadeIsMadeAnew() async throws {
        try await TestCluster.with(1) { cluster, nodes in
            let volume = try await mounted(nodes, on: ["v1"])
            await nodes[0].die()
            try await cluster.store.update(Keys.wanted(volume.id), as: WantedVolume.self) {
                var record = $0!
                record.format = .formatting
                return record
            }
            let again = try await cluster.start("v1", again: nodes[0], kept: [kept(volume)])
            _ = try await again.event(.keptDeviceRemoved)
            #expect(again.devices.steps.prefix(2) == ["fail", "remove kept"])
        }
    }

    @Test(arguments: [true, false])
    func atTheNodesEndDevicesStayForTheNext(isBusy: Bool) async throws {
        try await TestCluster.with(2) { cluster, nodes in
            let volume = try await mounted(nodes, on: ["v1", "v2"])
            nodes[0].devices.state.withLock { $0.isBusy = isBusy }
            let before = nodes[0].devices.steps
            await nodes[0].plane.stop(leavingDevices: true)
            nodes[0].task.cancel()
            #expect(nodes[0].devices.steps == before)
            let commands = nodes[0].engine.commands.filter { $0 != "configurationAnswered" }
            #expect(commands.suffix(3) == ["stopFUSE", "closeOwner", "stop"])
            let view = nodes[1].view
            #expect(view.isAlive(nodes[0].id) && owner(volume, view) == nodes[0].id)
            #expect(view.statuses[volume.id]?.isMounted == true)
            let again = try await cluster.start("v1", again: nodes[0], kept: [kept(volume)])
            _ = try await again.event(.volumeGoesOn)
            #expect(changes(again).isEmpty)
        }
    }

    @Test func whatStaysIsTakenOverWhereNoNextOneComes() async throws {
        try await TestCluster.with(2) { _, nodes in
            let volume = try await mounted(nodes, on: ["v1", "v2"])
            await nodes[0].plane.stop(leavingDevices: true)
            nodes[0].task.cancel()
            try await nodes[1].until("taken over") { view in
                owner(volume, view) == nodes[1].id ? true : nil
            }
        }
    }

    @Test(arguments: [(true, false), (false, true)])
    func atTheEndOfAllNothingStays(isKept: Bool, leavingDevices: Bool) async throws {
        try await TestCluster.with(2) { _, nodes in
            _ = try await mounted(nodes, on: ["v1", "v2"], isKept: isKept)
            await nodes[0].plane.stop(leavingDevices: leavingDevices, grace: .zero)
            nodes[0].task.cancel()
            #expect(
                nodes[0].devices.steps.suffix(4)
                    == ["unmount lazily", "fail", "no device", "no disk"])
        }
    }

    @Test func nothingWaitsForADiskThatTheEngineHasLetGo() async throws {
        try await TestCluster.with(1) { _, nodes in
            let volume = try await mounted(nodes, on: ["v1"])
            nodes[0].engine.report(.frontEndClosed(volume.id))
            while !nodes[0].devices.steps.contains("fail") { await Task.yield() }
        }
    }
}
