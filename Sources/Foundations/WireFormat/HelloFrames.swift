import CChecksum
import Units

/// The body of a hello.
///
///     0 cluster │ 16 node │ 32 incarnation │ 48 boot │ 64 volume │ 80 replica │ 96 instance
///     112 lowest version u16 │ 114 highest version u16 │ 116 volume's bytes u64
///     last 4 bytes: CRC32C u32 of all bytes before it
///
/// A hello of a later version may have more fields between byte 124 and the checksum; a receiver
/// that does not know them passes over them. A hello whose volume, replica, instance and size are
/// zero opens a connection between nodes, for heartbeats.
public enum HelloBody {
    public static let byteCount = 128
    private static let sizeOffset = 116

    /// Writes a whole frame.
    /// - Parameter bytes: room for `FrameHeader.byteCount + byteCount`.
    /// - Returns: how many bytes were written.
    public static func encodeFrame(
        _ hello: Hello, versions: ClosedRange<UInt16> = WireVersion.supported,
        to bytes: UnsafeMutableRawPointer
    ) -> Int {
        FrameHeader(.hello, version: WireVersion.ofHello, length: UInt32(byteCount)).encode(
            to: bytes)
        let body = bytes + FrameHeader.byteCount
        (body + 112).initializeMemory(as: UInt8.self, repeating: 0, count: byteCount - 112)
        store(hello, versions, to: body, sizeAt: sizeOffset)
        body.storeLittleEndian(cio_crc32c(0, body, byteCount - 4), at: byteCount - 4)
        return FrameHeader.byteCount + byteCount
    }

    /// - Parameter body: the `bodyBytes` bytes after the header.
    public static func decode(
        _ header: FrameHeader, _ body: UnsafeRawPointer
    ) throws(FrameFault) -> (hello: Hello, versions: ClosedRange<UInt16>) {
        try checkBody(header, body)
        return try load(body, sizeAt: sizeOffset)
    }

    static func checkBody(_ header: FrameHeader, _ body: UnsafeRawPointer) throws(FrameFault) {
        let end = header.bodyBytes - 4
        guard body.loadLittleEndian(end, as: UInt32.self) == cio_crc32c(0, body, end) else {
            throw .badBodyChecksum(header.kind)
        }
    }

    /// What a hello and its answer have in common; the size lies at another place in each.
    static func store(
        _ hello: Hello, _ versions: ClosedRange<UInt16>, to body: UnsafeMutableRawPointer,
        sizeAt sizeOffset: Int
    ) {
        body.storeIdentifier(hello.cluster, at: 0)
        body.storeIdentifier(hello.node, at: 16)
        body.storeIdentifier(hello.incarnation, at: 32)
        body.storeIdentifier(hello.boot, at: 48)
        body.storeIdentifier(hello.volume, at: 64)
        body.storeIdentifier(hello.replica, at: 80)
        body.storeIdentifier(hello.instance, at: 96)
        body.storeLittleEndian(versions.lowerBound, at: 112)
        body.storeLittleEndian(versions.upperBound, at: 114)
        body.storeLittleEndian(hello.sizeBytes, at: sizeOffset)
    }

    static func load(
        _ body: UnsafeRawPointer, sizeAt sizeOffset: Int
    ) throws(FrameFault) -> (hello: Hello, versions: ClosedRange<UInt16>) {
        let hello = Hello(
            cluster: body.loadIdentifier(0), node: body.loadIdentifier(16),
            incarnation: body.loadIdentifier(32), boot: body.loadIdentifier(48),
            volume: body.loadIdentifier(64), replica: body.loadIdentifier(80),
            instance: body.loadIdentifier(96),
            sizeBytes: body.loadLittleEndian(sizeOffset, as: UInt64.self))
        let lowest = body.loadLittleEndian(112, as: UInt16.self)
        let highest = body.loadLittleEndian(114, as: UInt16.self)
        let isOfVolume = hello.volume != .zero
        guard lowest >= 1, lowest <= highest, hello.cluster != .zero, hello.node != .zero,
            hello.incarnation != .zero, hello.boot != .zero,
            isOfVolume == (hello.replica != .zero), isOfVolume == (hello.instance != .zero), isOfVolume == (hello.sizeBytes != 0)
        else { throw .badHello }
        return (hello, lowest...highest)
    }
}

extension Hello {
    /// Opens a connection between nodes, for heartbeats only.
    public var isBetweenNodes: Bool { volume == .zero }
}

/// How a hello was answered.
public enum HelloAnswer: Equatable, Sendable {
    /// With what the answering side says of itself, and the version to speak; volume, replica and
    /// instance are the asker's.
    case accepted(Hello, version: UInt16)
    case refused(HelloRefusal, text: String)
}

/// Why a hello was refused. The raw value stands on the wire.
public enum HelloRefusal: UInt16, Sendable, CaseIterable {
    /// No version in common.
    case version = 1
    case otherCluster = 2
    /// The replica is not here, or not any more.
    case noReplica = 3
    /// The replica is here and cannot be opened: the text says why.
    case replicaFaulty = 4
    /// Not now: closing, starting, or too many connections.
    case busy = 5
    /// Understood, and against the rules.
    case invalid = 6
}

/// The body of a hello's answer.
///
///     0..<116 as in a hello, zeros if refused │ 116 status u16: 0 accepted
///     118 version u16, 0 if refused │ 120 bytes of text u32 │ 124 text, UTF-8, 248 bytes
///     372 volume's bytes u64 │ last 4 bytes: CRC32C u32 of all bytes before it
///
/// A refusal is closed by its sender once it is sent.
public enum HelloReplyBody {
    public static let byteCount = 384
    private static let textOffset = 124
    private static let sizeOffset = 372

    /// Writes a whole frame.
    /// - Parameter bytes: room for `FrameHeader.byteCount + byteCount`.
    /// - Returns: how many bytes were written.
    public static func encodeFrame(
        _ answer: HelloAnswer, versions: ClosedRange<UInt16> = WireVersion.supported,
        to bytes: UnsafeMutableRawPointer
    ) -> Int {
        FrameHeader(.helloReply, version: WireVersion.ofHello, length: UInt32(byteCount))
            .encode(to: bytes)
        let body = bytes + FrameHeader.byteCount
        body.initializeMemory(as: UInt8.self, repeating: 0, count: byteCount)
        switch answer {
        case .accepted(let hello, let version):
            HelloBody.store(hello, versions, to: body, sizeAt: sizeOffset)
            body.storeLittleEndian(version, at: 118)
        case .refused(let refusal, let text):
            body.storeLittleEndian(refusal.rawValue, at: 116)
            var count = 0
            for byte in text.utf8.prefix(WireLimits.refusalTextBytesMax) {
                body.storeBytes(of: byte, toByteOffset: textOffset + count, as: UInt8.self)
                count += 1
            }
            body.storeLittleEndian(UInt32(count), at: 120)
        }
        body.storeLittleEndian(cio_crc32c(0, body, byteCount - 4), at: byteCount - 4)
        return FrameHeader.byteCount + byteCount
    }

    /// - Parameter body: the `bodyBytes` bytes after the header.
    public static func decode(
        _ header: FrameHeader, _ body: UnsafeRawPointer
    ) throws(FrameFault) -> HelloAnswer {
        try HelloBody.checkBody(header, body)
        let status = body.loadLittleEndian(116, as: UInt16.self)
        let version = body.loadLittleEndian(118, as: UInt16.self)
        let textBytes = body.loadLittleEndian(120, as: UInt32.self)
        guard textBytes <= UInt32(WireLimits.refusalTextBytesMax) else { throw .badHello }
        if status == 0 {
            let (hello, versions) = try HelloBody.load(body, sizeAt: sizeOffset)
            guard versions.contains(version), textBytes == 0 else { throw .badHello }
            return .accepted(hello, version: version)
        }
        guard let refusal = HelloRefusal(rawValue: status), version == 0 else { throw .badHello }
        return .refused(refusal, text: text(body + textOffset, Int(textBytes)))
    }

    /// Fit for a log: what is not UTF-8 or would move the cursor is replaced.
    private static func text(_ bytes: UnsafeRawPointer, _ count: Int) -> String {
        let text = String(
            decoding: UnsafeRawBufferPointer(start: bytes, count: count), as: UTF8.self)
        let controls = text.unicodeScalars.contains { $0.properties.generalCategory == .control }
        guard controls else { return text }
        var clean = String.UnicodeScalarView()
        for scalar in text.unicodeScalars {
            clean.append(scalar.properties.generalCategory == .control ? "?" : scalar)
        }
        return String(clean)
    }
}
