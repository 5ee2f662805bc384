import Foundation
import Glibc
import Testing

@testable import BlockDevices

/// The process that keeps descriptors while nobody else has them. It needs no device.
@Suite(.serialized) struct DescriptorHolderTests {
    private let scratch = Scratch()
    private var path: String { scratch.path("hold.sock") }

    /// The test bundle and the program lie in the same folder.
    static let program = URL(fileURLWithPath: CommandLine.arguments[0])
        .deletingLastPathComponent().appendingPathComponent("cio-holder").path

    private func holder(patience: Int = 600) -> DescriptorHolder {
        DescriptorHolder(path: path, program: Self.program, patience: patience)
    }

    /// Both ends of a pipe. Whoever reads it sees its end when the last writer has closed it.
    private func pipeEnds() throws -> (read: Int32, write: Int32) {
        let ends = Pipe()
        let (reader, writer) = (ends.fileHandleForReading, ends.fileHandleForWriting)
        return (
            fcntl(reader.fileDescriptor, F_DUPFD_CLOEXEC, 3),
            fcntl(writer.fileDescriptor, F_DUPFD_CLOEXEC, 3)
        )
    }

    /// Waits for the pipe's end: true; or a byte in it: false.
    private func hasEnded(_ reader: Int32) -> Bool {
        var byte: UInt8 = 0
        return read(reader, &byte, 1) == 0
    }

    @Test func whatOneProcessHandsOverAnotherOneGets() throws {
        let (reader, writer) = try pipeEnds()
        defer { close(reader) }
        do {
            let first = holder()
            #expect(try first.adopt().isEmpty)
            try first.hold(writer, as: "vd1", note: "a note")
            close(writer)
        }
        let second = holder()
        let held = try second.adopt()
        #expect(held.map(\.name) == ["vd1"] && held.map(\.note) == ["a note"])
        let back = try #require(held.first?.descriptor)
        #expect(fcntl(back, F_GETFD) == FD_CLOEXEC)
        #expect(write(back, "x", 1) == 1)
        #expect(!hasEnded(reader))
        close(back)
        try second.drop("vd1")
        // With the last one the pipe ends, and so does the holder.
        #expect(hasEnded(reader))
    }

    @Test func aNameIsHeldOnce() throws {
        let (oldReader, oldWriter) = try pipeEnds()
        let (reader, writer) = try pipeEnds()
        let holder = holder()
        try holder.hold(oldWriter, as: "vd1", note: "old")
        close(oldWriter)
        try holder.hold(writer, as: "vd1", note: "new")
        close(writer)
        #expect(hasEnded(oldReader))
        try holder.drop("vd1")
        #expect(hasEnded(reader))
        try holder.drop("vd1")
        close(oldReader)
        close(reader)
    }

    @Test func anotherHolderGetsEverythingWhenOneWasKilled() throws {
        let (reader, writer) = try pipeEnds()
        do {
            let first = holder()
            try first.hold(writer, as: "vd1", note: "one")
            try first.hold(writer, as: "vd2", note: "two")
            close(writer)
            let killed = try #require(HolderProcess.find(path))
            kill(killed, SIGKILL)
            while HolderProcess.isAlive(killed) { sched_yield() }
            try first.check()
            let next = try #require(HolderProcess.find(path))
            #expect(next != killed)
            try first.check()
            #expect(HolderProcess.find(path) == next)
        }
        let second = holder()
        let held = try second.adopt()
        #expect(Set(held.map(\.name)) == ["vd1", "vd2"])
        for one in held {
            close(one.descriptor)
            try second.drop(one.name)
        }
        #expect(hasEnded(reader))
        close(reader)
    }

    @Test func itHasASessionOfItsOwnAndHoldsNothingOfOurs() throws {
        let (reader, writer) = try pipeEnds()
        let holder = holder()
        try holder.hold(writer, as: "vd1", note: "")
        let process = try #require(HolderProcess.find(path))
        #expect(getsid(process) == process && getsid(0) != process)
        let descriptors = try FileManager.default.contentsOfDirectory(
            atPath: "/proc/\(process)/fd")
        // Socket, both outputs, the connection and what it holds.
        #expect(descriptors.count == 5)
        #expect(
            try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/\(process)/cwd")
                == "/")
        close(writer)
        try holder.drop("vd1")
        #expect(hasEnded(reader))
        while HolderProcess.isAlive(process) { sched_yield() }
        close(reader)
    }

    @Test func nobodyWaitsForEver() throws {
        let (reader, writer) = try pipeEnds()
        do { try holder(patience: 1).hold(writer, as: "vd1", note: "") }
        close(writer)
        #expect(hasEnded(reader))
        #expect(try holder().adopt().isEmpty)
        close(reader)
    }

    @Test func aStrangersWordsDoNoHarm() throws {
        let (reader, writer) = try pipeEnds()
        do { try holder().hold(writer, as: "vd1", note: "") }
        close(writer)
        let noise = socket(AF_UNIX, Int32(SOCK_SEQPACKET.rawValue), 0)
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
        let connected = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(noise, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        #expect(connected == 0)
        #expect(write(noise, "hello", 5) == 5)
        #expect(hasEnded(noise))
        close(noise)
        let next = holder()
        let held = try next.adopt()
        #expect(held.map(\.name) == ["vd1"])
        for one in held { close(one.descriptor) }
        try next.drop("vd1")
        #expect(hasEnded(reader))
        close(reader)
    }

    @Test func namesAndNotesAreBounded() throws {
        let holder = holder()
        let (reader, writer) = try pipeEnds()
        for (name, note) in [(64, 0), (1, 192)] {
            #expect(throws: BlockDeviceError.self) {
                try holder.hold(
                    writer, as: String(repeating: "n", count: name),
                    note: String(repeating: "n", count: note))
            }
        }
        close(reader)
        close(writer)
    }

    @Test func withoutItsProgramNothingIsHeld() throws {
        let (reader, writer) = try pipeEnds()
        let holder = DescriptorHolder(path: path, program: scratch.path("none"))
        #expect(throws: BlockDeviceError.self) {
            try holder.hold(writer, as: "vd1", note: "")
        }
        close(writer)
        #expect(hasEnded(reader))
        close(reader)
    }
}

/// Looks for a holder by the socket on which it listens.
enum HolderProcess {
    static func find(_ path: String) -> pid_t? {
        // Num RefCount Protocol Flags Type St Inode Path (proc_pid_net(5)).
        let sockets = (try? KernelFile.text("/proc/net/unix")) ?? ""
        let inodes = sockets.split(separator: "\n").filter { $0.hasSuffix(" \(path)") }
            .map { "socket:[\($0.split(separator: " ")[6])]" }
        let files = FileManager.default
        for pid in (try? files.contentsOfDirectory(atPath: "/proc")) ?? [] {
            guard let number = pid_t(pid), number != getpid(),
                let target = try? files.destinationOfSymbolicLink(atPath: "/proc/\(pid)/fd/0"),
                inodes.contains(target)
            else { continue }
            return number
        }
        return nil
    }

    /// What waits to be reaped is dead.
    static func isAlive(_ pid: pid_t) -> Bool {
        guard let stat = try? KernelFile.text("/proc/\(pid)/stat"),
            let end = stat.lastIndex(of: ")")
        else { return false }
        return !stat[end...].hasPrefix(") Z")
    }
}
