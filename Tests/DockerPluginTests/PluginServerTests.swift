import Dispatch
import Foundation
import Logging
import ServiceLifecycle
import Testing

@testable import DockerPlugin

/// The plugin behind its socket, as Docker meets it.
@Suite(.serialized) struct PluginServerTests {
    private func withServer(_ body: (TestPlugin, RawHTTP) async throws -> Void) async throws {
        let test = try TestPlugin()
        test.volumes.add("db")
        let path = "/tmp/cio-plugin-\(UUID().uuidString.prefix(8)).sock"
        var logger = Logger(label: "test")
        logger.logLevel = .critical
        let server = PluginServer(
            socket: try ListeningSocket.make(at: path), plugin: test.plugin, logger: logger)
        let task = Task { try await server.run() }
        do { try await body(test, RawHTTP(path: path)) } catch {
            task.cancel()
            throw error
        }
        task.cancel()
        try await task.value
        #expect(access(path, F_OK) != 0)
    }

    private func offThread<Value: Sendable>(
        _ work: @escaping @Sendable () -> Value
    ) async -> Value {
        await withCheckedContinuation { continuation in
            // Not on the plugin's own threads, which it needs to answer.
            Self.clients.async { continuation.resume(returning: work()) }
        }
    }

    private static let clients = DispatchQueue(label: "clients", attributes: .concurrent)

    @Test func whatDockerSendsIsAnswered() async throws {
        try await withServer { _, http in
            let talk: [(String, String, Int, String)] = [
                ("/Plugin.Activate", "", 200, "{\"Err\":\"\",\"Implements\":[\"VolumeDriver\"]}\n"),
                ("/VolumeDriver.Capabilities", "{}\n", 200,
                 "{\"Capabilities\":{\"Scope\":\"global\"},\"Err\":\"\"}\n"),
                ("/VolumeDriver.Create", "{\"Name\":\"new\",\"Opts\":null}\n", 200, "{\"Err\":\"\"}\n"),
                ("/VolumeDriver.Mount", "{\"Name\":\"db\",\"ID\":\"1\"}\n", 200,
                 "{\"Err\":\"\",\"Mountpoint\":\"/volumes/vd1/data\"}\n"),
                ("/VolumeDriver.List", "{}\n", 200,
                 "{\"Err\":\"\",\"Volumes\":[{\"Mountpoint\":\"/volumes/vd1/data\",\"Name\":\"db\"},"
                    + "{\"Mountpoint\":\"\",\"Name\":\"new\"}]}\n"),
                ("/VolumeDriver.Unmount", "{\"Name\":\"db\",\"ID\":\"1\"}\n", 200, "{\"Err\":\"\"}\n"),
                ("/VolumeDriver.Get", "{\"Name\":\"none\"}\n", 500,
                 "{\"Err\":\"Get none: there is no volume none\"}\n"),
                ("/VolumeDriver.Get", "{\"Name\":7}\n", 500, ""),
                ("/VolumeDriver.Get", "{", 500, ""), ("/VolumeDriver.Get", "", 500, ""),
                ("/VolumeDriver.Fly", "{}", 404, ""), ("/", "", 404, ""),
                ("/VolumeDriver.Get", String(repeating: " ", count: 1 << 20), 413, ""),
            ]
            for (call, body, status, answer) in talk {
                let found = await offThread { http.call(call, body) }
                #expect(found?.status == status, "\(call) \(body.prefix(40))")
                if !answer.isEmpty { #expect(found?.body == answer) }
                #expect(found?.body.contains("\"Err\":") ?? false)
            }
        }
    }

    @Test func whatIsNoCallIsRefused() async throws {
        try await withServer { _, http in
            let wrong = await offThread {
                http.exchange("GET /VolumeDriver.List HTTP/1.1\r\nHost: \r\nConnection: close\r\n\r\n")
            }
            #expect(wrong?.status == 405)
            let noise = await offThread { http.exchange("\u{0}\u{1}nonsense\r\n\r\n") }
            #expect(noise == nil || noise?.status == 400)
            // And still there.
            #expect(await offThread { http.call("/Plugin.Activate", "") }?.status == 200)
        }
    }

    @Test func aThousandCallsAtOnceAreAnswered() async throws {
        try await withServer { test, http in
            // All are sent before the first answer is read.
            let answers = await offThread {
                let started = (0..<1_000).map { number in
                    let name = number % 5 == 0 ? "none" : "db"
                    let body = "{\"Name\":\"\(name)\",\"ID\":\"\(number)\"}\n"
                    return switch number % 3 {
                    case 0: http.start("/VolumeDriver.Mount", body)
                    case 1: http.start("/VolumeDriver.Get", body)
                    default: http.start("/VolumeDriver.List", "{}")
                    }
                }
                return started.map { $0.flatMap(http.finish)?.status }
                    .reduce(into: [Int: Int]()) { $0[$1 ?? 0, default: 0] += 1 }
            }
            // Of those for a volume that is not there, a third only lists: 67 + 66 fail.
            #expect(answers[200] == 1_000 - 133)
            #expect(answers[500] == 133)
            let ids = await test.plugin.references.volumes["id-db"]?.ids.count
            #expect(ids == (0..<1_000).count { $0 % 3 == 0 && $0 % 5 != 0 })
            #expect(test.volumes.held == ["id-db"])
        }
    }
}
