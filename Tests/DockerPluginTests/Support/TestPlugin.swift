import Foundation
import Logging

@testable import DockerPlugin

/// A plugin over fakes, with a folder of its own for what it keeps.
final class TestPlugin: Sendable {
    let volumes = FakeVolumes()
    let host = FakeHost()
    let folder = NSTemporaryDirectory() + "/cio-plugin-\(UUID().uuidString)"
    let plugin: Plugin

    init() throws {
        try FileManager.default.createDirectory(
            atPath: folder, withIntermediateDirectories: true)
        plugin = Self.plugin(volumes, host, folder)
    }

    deinit { try? FileManager.default.removeItem(atPath: folder) }

    private static func plugin(
        _ volumes: FakeVolumes, _ host: FakeHost, _ folder: String, boot: String = "b"
    ) -> Plugin {
        var logger = Logger(label: "test")
        logger.logLevel = .critical
        return Plugin(
            volumes: volumes, host: host,
            file: ReferenceFile(path: folder + "/references.json"), boot: boot, logger: logger)
    }

    /// As after a restart of the process: nothing but the files is left.
    func restarted() -> Plugin { Self.plugin(volumes, host, folder) }

    /// As after a restart of the machine.
    func rebooted() -> Plugin { Self.plugin(volumes, host, folder, boot: "c") }

    func call(_ call: PluginCall, _ body: String) async throws -> PluginAnswer {
        try await plugin.answer(call, body: Array(body.utf8))
    }

    func mount(_ name: String, _ id: String) async throws -> String? {
        try await call(.mount, "{\"Name\":\"\(name)\",\"ID\":\"\(id)\"}\n").mountpoint
    }

    func unmount(_ name: String, _ id: String) async throws {
        _ = try await call(.unmount, "{\"Name\":\"\(name)\",\"ID\":\"\(id)\"}\n")
    }
}
