import Foundation
import Glibc
import Testing

private func installed(_ tool: String) -> Bool { access("/usr/bin/\(tool)", X_OK) == 0 }

/// Runs a client to its end.
private func run(_ tool: String, _ arguments: [String]) throws -> (status: Int32, output: String) {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/\(tool)")
    process.arguments = arguments
    // nbdsh is Python, and libnbd's module belongs to the system's own.
    process.environment = ["PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8"]
    let pipe = Pipe()
    process.standardInput = FileHandle.nullDevice
    process.standardOutput = pipe
    process.standardError = pipe
    try process.run()
    let output = String(decoding: pipe.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    return (process.terminationStatus, output)
}

/// The clients that people use, unchanged, against these parsers and encoders.
@Suite struct NBDPeersTests {
    @Test(.enabled(if: installed("nbdinfo"), "needs nbdinfo (libnbd-bin)"))
    func nbdinfoSeesTheVolume() throws {
        let server = MemoryServer(sizeBytes: 8 << 20)
        defer { server.stop() }
        let info = try run("nbdinfo", [server.uri("volume")])
        #expect(info.status == 0, "\(info.output)")
        for line in [
            "protocol: newstyle-fixed without TLS, using structured packets",
            "export-size: 8388608 (8M)", "description: in memory", "can_df: true",
            "can_fast_zero: false", "can_flush: true", "can_fua: true",
            "can_multi_conn: true", "can_trim: true", "can_zero: true", "is_read_only: false",
            "block_size_minimum: 512", "block_size_preferred: 4096",
            "block_size_maximum: 33554432",
        ] { #expect(info.output.contains(line), "\(line) is not in \(info.output)") }
        #expect(!info.output.contains("base:allocation"))
        let list = try run("nbdinfo", ["--list", server.uri("")])
        #expect(list.output.contains("export=\"volume\""), "\(list.output)")
        let none = try run("nbdinfo", [server.uri("none")])
        #expect(none.status != 0)
        #expect(none.output.contains("No such file or directory for export: none"))
    }

    @Test(.enabled(if: installed("nbdcopy"), "needs nbdcopy (libnbd-bin)"))
    func nbdcopyGoesThereAndBack() throws {
        let server = MemoryServer(sizeBytes: 8 << 20)
        defer { server.stop() }
        let folder = try FileManager.default.url(
            for: .itemReplacementDirectory, in: .userDomainMask,
            appropriateFor: URL(fileURLWithPath: "/tmp"), create: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let source = folder.appending(path: "source"), back = folder.appending(path: "back")
        var content = Data((0..<(8 << 20)).map { UInt8(truncatingIfNeeded: $0 &* 31 >> 7) })
        content.resetBytes(in: (1 << 20)..<(3 << 20))
        try content.write(to: source)
        let there = try run("nbdcopy", ["--flush", source.path, server.uri("volume")])
        #expect(there.status == 0, "\(there.output)")
        #expect(server.seen.flushes > 0)
        let returned = try run("nbdcopy", [server.uri("volume"), back.path])
        #expect(returned.status == 0, "\(returned.output)")
        #expect(try Data(contentsOf: back) == content)
        #expect(server.seen.refusals == 0)
    }

    @Test(.enabled(if: installed("qemu-io"), "needs qemu-io (qemu-utils)"))
    func qemuWritesForcesTrimsAndZeroes() throws {
        let server = MemoryServer(sizeBytes: 8 << 20)
        defer { server.stop() }
        let commands = [
            "write -P 0x5a 0 64k", "read -P 0x5a 0 64k", "write -f -P 0xa5 512 512",
            "read -P 0xa5 512 512", "discard 0 4k", "write -z 8k 4k", "read -P 0 8k 4k",
            "write -z -u 16k 4k", "flush", "read -P 0x5a 4k 4k",
        ]
        let arguments = ["-f", "raw", "-t", "none", server.uri("volume")]
        let result = try run("qemu-io", commands.flatMap { ["-c", $0] } + arguments)
        #expect(result.status == 0, "\(result.output)")
        #expect(!result.output.contains("failed"), "\(result.output)")
        let seen = server.seen
        #expect(seen.forced == 1 && seen.trims == 1 && seen.zeroes == 2 && seen.flushes > 0)
        #expect(seen.refusals == 0)
    }

    @Test(.enabled(if: installed("nbdsh"), "needs nbdsh (libnbd-bin, python3-libnbd)"))
    func libnbdFindsItsErrorsAnswered() throws {
        let server = MemoryServer(sizeBytes: 8 << 20)
        defer { server.stop() }
        // Strict mode off: libnbd sends what no honest client would.
        let script = """
            import errno
            h.set_strict_mode(0)
            h.connect_uri("\(server.uri("volume"))")
            def fails(call, wanted):
                try: call()
                except nbd.Error as error: assert error.errno == wanted, error
                else: raise AssertionError("no error")
            size = h.get_size()
            fails(lambda: h.pread(512, size), "EINVAL")
            fails(lambda: h.pread(512, 1), "EINVAL")
            fails(lambda: h.pread(0, 0), "EINVAL")
            fails(lambda: h.pwrite(bytearray(1024), size - 512), "ENOSPC")
            fails(lambda: h.pwrite(bytearray(100), 0), "EINVAL")
            fails(lambda: h.zero(1024, size - 512), "ENOSPC")
            fails(lambda: h.trim(1024, size - 512), "EINVAL")
            fails(lambda: h.cache(512, 0), "EINVAL")
            fails(lambda: h.zero(512, 0, nbd.CMD_FLAG_FAST_ZERO), "EINVAL")
            h.pwrite(bytearray(b"x" * 512), 0, nbd.CMD_FLAG_FUA)
            assert h.pread(512, 0, nbd.CMD_FLAG_DF) == b"x" * 512
            h.flush()
            h.shutdown()
            """
        let result = try run("nbdsh", ["-c", script])
        #expect(result.status == 0, "\(result.output)")
        #expect(server.seen.refusals == 9)
    }

    @Test(.enabled(if: installed("nbdsh"), "needs nbdsh (libnbd-bin, python3-libnbd)"))
    func libnbdWithoutStructuredReplies() throws {
        let server = MemoryServer(sizeBytes: 8 << 20)
        defer { server.stop() }
        let script = """
            h.set_request_structured_replies(False)
            h.set_handshake_flags(0)
            h.connect_uri("\(server.uri("volume"))")
            assert not h.get_structured_replies_negotiated()
            h.pwrite(bytearray(b"y" * 4096), 4096)
            assert h.pread(8192, 0) == b"\\0" * 4096 + b"y" * 4096
            h.shutdown()
            """
        let result = try run("nbdsh", ["-c", script])
        #expect(result.status == 0, "\(result.output)")
    }
}
