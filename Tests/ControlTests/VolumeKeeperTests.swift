import API
import EngineCommands
import Metadata
import Records
import Testing
import Units

@testable import Control

@Suite struct VolumeKeeperTests {
    private func add(
        _ node: TestNode, on copies: [String], owner: String? = nil
    ) async throws -> WantedVolume {
        _ = try await node.requests.create(
            CreateVolumeRequest(name: "data", copiesOn: copies, node: owner))
        return try await node.until("served") { view in
            view.volume(named: "data").flatMap { volume in
                view.configurations[volume.record.id]!.record.epoch > 0 ? volume.record : nil
            }
        }
    }

    @Test func aNewVolumeIsOpenedWhenAllOfItsCopiesExist() async throws {
        try await TestCluster.with(3) { _, nodes in
            let volume = try await add(nodes[0], on: ["v2", "v3"])
            let record = try #require(nodes[0].view.configurations[volume.id]?.record)
            #expect(record.owner?.node == nodes[1].id)
            #expect(record.inSync.count == 2)
            #expect(nodes[0].view.created.isEmpty)
            #expect(nodes[1].engine.registered == [record.replicas[0].id])
            #expect(nodes[2].engine.registered == [record.replicas[1].id])
        }
    }

    @Test func theFilesystemIsMadeOnceAndGoesWithTheVolume() async throws {
        try await TestCluster.with(3) { _, nodes in
            let volume = try await add(nodes[0], on: ["v2", "v3"])
            let attached = try await nodes[0].requests.attach(
                "data", AttachRequest(node: "v2", mount: true))
            #expect(attached.volume?.directory == "/volumes/v2/vd1")
            #expect(
                nodes[1].devices.steps == ["disk", "device", "mkfs", "mount xfs /volumes/v2/vd1"])
            let moved = try await nodes[0].requests.move("data", MoveRequest(node: "v3"))
            #expect(moved.message
                == "Move vd1 from \(nodes[1].id.short) to \(nodes[2].id.short)")
            #expect(nodes[2].devices.steps == ["disk", "device", "mount xfs /volumes/v3/vd1"])
            #expect(nodes[1].devices.steps.suffix(3) == ["unmount", "no device", "no disk"])
            #expect(nodes[0].view.wanted[volume.id]?.record.format == .formatted)
            let codes = try await nodes[2].eventCodes()
            #expect(codes.count { $0 == EventCode.volumeCreated.rawValue } == 2)
            #expect(codes.contains(EventCode.volumeRemoved.rawValue))
        }
    }

    @Test func aNodeWithoutACopyAsksThoseThatHaveOne() async throws {
        try await TestCluster.with(3) { _, nodes in
            _ = try await add(nodes[0], on: ["v2", "v3"])
            let attached = try await nodes[0].requests.attach(
                "data", AttachRequest(node: "v1", mount: true))
            #expect(attached.volume?.isMounted == true)
            #expect(nodes[0].devices.steps.contains("mkfs"))
        }
    }

    @Test func whatWasWrittenIsNeverFormatted() async throws {
        try await TestCluster.with(2) { _, nodes in
            let volume = try await add(nodes[0], on: ["v1", "v2"])
            for node in nodes { node.storage.write(to: volume.id) }
            await #expect {
                try await nodes[0].requests.attach("data", AttachRequest(mount: true))
            } throws: { error in
                "\(error)".contains("it is not formatted")
            }
            #expect(!nodes[0].devices.steps.contains("mkfs"))
            try await nodes[0].until("not attached any more") { view in
                view.wanted[volume.id]?.record.attachTo == nil ? true : nil
            }
        }
    }

    @Test(arguments: [true, false])
    func anInterruptedFormatIsResolvedByLooking(isWhole: Bool) async throws {
        try await TestCluster.with(2) { cluster, nodes in
            let volume = try await add(nodes[0], on: ["v1", "v2"])
            try await cluster.store.update(Keys.wanted(volume.id), as: WantedVolume.self) {
                $0.map {
                    var record = $0
                    record.format = .formatting
                    return record
                }
            }
            cluster.disks[1] = isWhole ? .filesystem(.xfs) : .other
            _ = try await nodes[0].requests.attach("data", AttachRequest(mount: true))
            #expect(nodes[0].devices.steps.contains("mkfs over") == !isWhole)
            #expect(!nodes[0].devices.steps.contains("mkfs"))
        }
    }

    @Test func aVolumeThatIsInUseStays() async throws {
        try await TestCluster.with(2) { _, nodes in
            let volume = try await add(nodes[0], on: ["v1", "v2"])
            _ = try await nodes[0].requests.attach("data", AttachRequest(mount: true))
            nodes[0].devices.state.withLock { $0.isBusy = true }
            await #expect {
                try await nodes[1].requests.move("data", MoveRequest(node: "v2"))
            } throws: { "\($0)" == "Move vd1: vdisk is opened" }
            await #expect {
                try await nodes[1].requests.detach("data", DetachRequest())
            } throws: { "\($0)" == "Detach vd1: vdisk is opened" }
            #expect(nodes[1].view.wanted[volume.id]?.record.attachTo == nodes[0].id)
            #expect(nodes[1].view.wanted[volume.id]?.record.mount == true)
        }
    }

    @Test func aDeadOwnersVolumeIsTakenOver() async throws {
        try await TestCluster.with(4) { _, nodes in
            let volume = try await add(nodes[0], on: ["v3", "v2", "v4"], owner: "v3")
            _ = try await nodes[0].requests.attach("data", AttachRequest(node: "v3", mount: true))
            await nodes[2].die()
            try await nodes[0].until("parked") { view in
                view.wanted[volume.id]?.record.attachTo == nil
                    && view.configurations[volume.id]?.record.owner?.node != nodes[2].id
                    ? true : nil
            }
            let text = try await nodes[0].event(.failoverCompleted)
            #expect(text.hasPrefix("node (\(nodes[2].id.short)) failover completed. hostname=v"))
            _ = try await nodes[0].requests.attach("data", AttachRequest(node: "v1", mount: true))
            #expect(nodes[0].devices.steps.last == "mount xfs /volumes/v1/vd1")
        }
    }

    @Test func aDeposedOwnerTakesItsDeviceAwayFromEverybody() async throws {
        try await TestCluster.with(2) { cluster, nodes in
            let volume = try await add(nodes[0], on: ["v1", "v2"])
            _ = try await nodes[0].requests.attach("data", AttachRequest(mount: true))
            nodes[0].devices.state.withLock { $0.isBusy = true }
            let stored = try await cluster.store.update(
                Keys.configuration(volume.id), as: VolumeConfiguration.self
            ) {
                var record = $0!
                record.epoch += 1
                record.owner = OwnerRecord(node: nodes[1].id, instance: .random())
                return record
            }
            let epoch = try #require(stored).record.epoch
            nodes[0].engine.end(volume.id, .deposed(epoch: epoch))
            let text = try await nodes[0].event(.lockedOut)
            #expect(text.contains("epoch \(epoch - 1) to \(epoch)"))
            try await nodes[0].until("taken down by force") { _ in
                nodes[0].devices.steps.contains("unmount lazily") ? true : nil
            }
        }
    }

    @Test func aRecordOlderThanTheCopiesStopsTheVolume() async throws {
        try await TestCluster.with(2) { _, nodes in
            let volume = try await add(nodes[0], on: ["v1", "v2"])
            nodes[0].engine.end(volume.id, .deposed(epoch: 99))
            let text = try await nodes[0].event(.volumeStopped)
            #expect(text.contains("epoch 99"))
            #expect(nodes[0].engine.instance(of: volume.id) == nil)
        }
    }

    @Test func lostWritesOpenANewSession() async throws {
        try await TestCluster.with(2) { _, nodes in
            let volume = try await add(nodes[0], on: ["v1", "v2"])
            let epoch = try #require(nodes[0].view.configurations[volume.id]?.record.epoch)
            nodes[0].engine.end(volume.id, .lostWrites)
            try await nodes[0].until("served again") { view in
                view.configurations[volume.id]!.record.epoch > epoch ? true : nil
            }
            _ = try await nodes[0].event(.unflushedWritesLost)
        }
    }

    @Test func aLostCopyIsMadeElsewhereAndTheOldOneGivenBack() async throws {
        try await TestCluster.with(3, rebuildDelay: .zero) { cluster, nodes in
            let volume = try await add(nodes[0], on: ["v1", "v2"])
            await nodes[1].die()
            try await nodes[0].until("whole again") { view in
                let record = view.configurations[volume.id]!.record
                let holders = Set(record.inSync.map(\.node))
                return holders == [nodes[0].id, nodes[2].id] && record.replicas.count == 2
                    ? true : nil
            }
            let codes = try await nodes[0].eventCodes()
            #expect(codes.contains(EventCode.rebuilding.rawValue))
            #expect(codes.contains(EventCode.rebuildCompleted.rawValue))
            let again = try await cluster.start("v2", again: nodes[1])
            try await again.until("tombstone honoured") { view in
                view.isAlive(again.id) && view.tombstones.isEmpty ? true : nil
            }
            #expect(again.storage.state.withLock { $0.deleted.count } == 1)
        }
    }

    @Test func stoppingGivesTheVolumeBack() async throws {
        try await TestCluster.with(2) { _, nodes in
            let volume = try await add(nodes[0], on: ["v1", "v2"])
            _ = try await nodes[0].requests.attach("data", AttachRequest(mount: true))
            await nodes[0].plane.stop()
            nodes[0].task.cancel()
            #expect(nodes[0].devices.steps.suffix(3) == ["unmount", "no device", "no disk"])
            #expect(nodes[0].engine.commands.last == "stop")
            try await nodes[1].until("taken over") { view in
                view.configurations[volume.id]?.record.owner?.node == nodes[1].id ? true : nil
            }
            #expect(!(try await nodes[1].eventCodes())
                .contains(EventCode.failoverCompleted.rawValue))
        }
    }
}
