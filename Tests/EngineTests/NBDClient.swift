import Foundation
import Glibc

/// A blocking NBD client, the smallest that does it: fixed newstyle, GO, simple replies.
final class NBDClient {
    let sizeBytes: UInt64
    private var socket: Int32
    private var cookie: UInt64 = 0

    init(path: String, export: String) throws {
        socket = try Self.connect(path)
        var greeting = [UInt8](repeating: 0, count: 18)
        try Self.receive(socket, &greeting)
        try Self.send(socket, Self.number(UInt32(3)))
        var data = Self.number(UInt32(export.utf8.count)) + Array(export.utf8)
        data += Self.number(UInt16(0))
        try Self.send(
            socket,
            Array("IHAVEOPT".utf8) + Self.number(UInt32(7)) + Self.number(UInt32(data.count))
                + data)
        var size: UInt64 = 0
        while true {
            var header = [UInt8](repeating: 0, count: 20)
            try Self.receive(socket, &header)
            let type = Self.read(header, 12, as: UInt32.self)
            var body = [UInt8](repeating: 0, count: Int(Self.read(header, 16, as: UInt32.self)))
            if !body.isEmpty { try Self.receive(socket, &body) }
            if type == 1 { break }
            if type >> 31 == 1 {
                throw TestFailure(what: "refused: \(String(decoding: body, as: UTF8.self))")
            }
            let isSize = Self.read(body, 0, as: UInt16.self) == 0
            if isSize { size = Self.read(body, 2, as: UInt64.self) }
        }
        sizeBytes = size
    }

    deinit { hangUp() }

    func hangUp() {
        if socket >= 0 { close(socket) }
        socket = -1
    }

    // MARK: Commands

    func write(_ bytes: [UInt8], at offset: UInt64, forceUnitAccess: Bool = false) throws {
        try request(1, offset, UInt32(bytes.count), flags: forceUnitAccess ? 1 : 0)
        try Self.send(socket, bytes)
        try answer()
    }

    /// Without waiting for the answer.
    func begin(_ bytes: [UInt8], at offset: UInt64) throws {
        try request(1, offset, UInt32(bytes.count))
        try Self.send(socket, bytes)
    }

    func read(_ count: Int, at offset: UInt64) throws -> [UInt8] {
        try request(0, offset, UInt32(count))
        try answer()
        return try receive(count)
    }

    /// A read's data, after its answer.
    func receive(_ count: Int) throws -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: count)
        try Self.receive(socket, &bytes)
        return bytes
    }

    func flush() throws {
        try request(3, 0, 0)
        try answer()
    }

    func trim(_ count: UInt32, at offset: UInt64) throws {
        try request(4, offset, count)
        try answer()
    }

    func writeZeroes(_ count: UInt32, at offset: UInt64) throws {
        try request(6, offset, count)
        try answer()
    }

    /// Without waiting for the answer.
    func request(_ command: UInt16, _ offset: UInt64, _ length: UInt32, flags: UInt16 = 0) throws {
        cookie += 1
        try Self.send(
            socket,
            Self.number(UInt32(0x2560_9513)) + Self.number(flags) + Self.number(command)
                + Self.number(cookie) + Self.number(offset) + Self.number(length))
    }

    func sendBytes(_ bytes: [UInt8]) throws { try Self.send(socket, bytes) }

    func answer() throws {
        var reply = [UInt8](repeating: 0, count: 16)
        try Self.receive(socket, &reply)
        guard Self.read(reply, 0, as: UInt32.self) == 0x6744_6698 else {
            throw TestFailure(what: "not a reply")
        }
        let error = Self.read(reply, 4, as: UInt32.self)
        if error != 0 { throw NBDFailure(code: error) }
    }

    // MARK: Bytes

    static func connect(_ path: String) throws -> Int32 {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
        let socket = Glibc.socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        let code = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                Glibc.connect(socket, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        if code != 0 { throw TestFailure(what: "connecting to \(path): errno \(errno)") }
        return socket
    }

    private static func number<Number: FixedWidthInteger>(_ value: Number) -> [UInt8] {
        withUnsafeBytes(of: value.bigEndian) { Array($0) }
    }

    private static func read<Number: FixedWidthInteger>(
        _ bytes: [UInt8], _ offset: Int, as type: Number.Type
    ) -> Number {
        bytes[offset..<offset + MemoryLayout<Number>.size].reduce(0) { $0 << 8 | Number($1) }
    }

    static func send(_ socket: Int32, _ bytes: [UInt8]) throws {
        var sent = 0
        while sent < bytes.count {
            let count = bytes.withUnsafeBytes {
                Glibc.send(socket, $0.baseAddress! + sent, bytes.count - sent, Int32(MSG_NOSIGNAL))
            }
            if count <= 0 { throw TestFailure(what: "send: errno \(errno)") }
            sent += count
        }
    }

    static func receive(_ socket: Int32, _ bytes: inout [UInt8]) throws {
        let wanted = bytes.count
        var received = 0
        while received < wanted {
            let count = bytes.withUnsafeMutableBytes {
                recv(socket, $0.baseAddress! + received, wanted - received, 0)
            }
            if count == 0 { throw TestFailure(what: "the server hung up") }
            if count < 0 { throw TestFailure(what: "recv: errno \(errno)") }
            received += count
        }
    }
}

struct NBDFailure: Error, Equatable {
    let code: UInt32
}
