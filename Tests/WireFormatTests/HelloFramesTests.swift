import Testing
import Units

@testable import WireFormat

@Suite struct HelloFramesTests {
    private func hello(_ bytes: Bytes) throws -> (hello: Hello, versions: ClosedRange<UInt16>) {
        let header = try FrameHeader.decode(bytes.start, expecting: .hello)
        return try HelloBody.decode(header, bytes.start + 64)
    }

    private func answer(_ bytes: Bytes) throws(FrameFault) -> HelloAnswer {
        let header = try FrameHeader.decode(bytes.start, expecting: .helloReply)
        return try HelloReplyBody.decode(header, bytes.start + 64)
    }

    @Test func hellosComeBack() throws {
        let bytes = Bytes(64 + 128)
        #expect(HelloBody.encodeFrame(Sample.hello, versions: 2...7, to: bytes.start) == 192)
        let found = try hello(bytes)
        #expect(found.hello == Sample.hello)
        #expect(found.versions == 2...7)
        #expect(!found.hello.isBetweenNodes)
    }

    @Test func aHelloBetweenNodesHasNoVolume() throws {
        var plain = Sample.hello
        plain.volume = .zero
        plain.replica = .zero
        plain.instance = .zero
        plain.sizeBytes = 0
        let bytes = Bytes(64 + 128)
        _ = HelloBody.encodeFrame(plain, to: bytes.start)
        #expect(try hello(bytes).hello.isBetweenNodes)
    }

    @Test func contradictionsAreRefused() {
        let changes: [(inout Hello) -> Void] = [
            { $0.cluster = .zero }, { $0.node = .zero }, { $0.incarnation = .zero },
            { $0.boot = .zero }, { $0.volume = .zero }, { $0.replica = .zero },
            { $0.instance = .zero }, { $0.sizeBytes = 0 },
        ]
        for change in changes {
            var broken = Sample.hello
            change(&broken)
            let bytes = Bytes(64 + 128)
            _ = HelloBody.encodeFrame(broken, to: bytes.start)
            #expect(throws: FrameFault.badHello) { try hello(bytes) }
        }
        for (low, high) in [(0, 1), (2, 1), (0, 0)] as [(UInt16, UInt16)] {
            let bytes = Bytes(64 + 128)
            _ = HelloBody.encodeFrame(Sample.hello, to: bytes.start)
            bytes.start.storeLittleEndian(low, at: 64 + 112)
            bytes.start.storeLittleEndian(high, at: 64 + 114)
            bytes.seal(from: 64, to: 64 + 124)
            #expect(throws: FrameFault.badHello) { try hello(bytes) }
        }
    }

    @Test func everyFlippedBitIsRefused() {
        let bytes = Bytes(64 + 384)
        _ = HelloBody.encodeFrame(Sample.hello, to: bytes.start)
        for bit in 0..<192 * 8 {
            bytes.flip(bit: bit)
            #expect(throws: FrameFault.self) { try hello(bytes) }
            bytes.flip(bit: bit)
        }
        _ = HelloReplyBody.encodeFrame(.refused(.busy, text: "starting"), to: bytes.start)
        for bit in 0..<448 * 8 {
            bytes.flip(bit: bit)
            #expect(throws: FrameFault.self) { try answer(bytes) }
            bytes.flip(bit: bit)
        }
    }

    /// A later version may say more; what we know of it keeps its place.
    @Test func longerHellosAreUnderstood() throws {
        let bytes = Bytes(64 + WireLimits.helloBytesMax)
        _ = HelloBody.encodeFrame(Sample.hello, to: bytes.start)
        for length in [136, 512, WireLimits.helloBytesMax] {
            FrameHeader(.hello, version: 1, length: UInt32(length)).encode(to: bytes.start)
            bytes.seal(from: 64, to: 64 + length - 4)
            #expect(try hello(bytes).hello == Sample.hello)
        }
        for length in [0, 64, 120, 132, WireLimits.helloBytesMax + 8] {
            FrameHeader(.hello, version: 1, length: UInt32(length)).encode(to: bytes.start)
            #expect(throws: FrameFault.badLength(.hello, UInt32(length))) { try hello(bytes) }
        }
    }

    @Test func answersComeBack() throws {
        let bytes = Bytes(64 + 384)
        let answers: [HelloAnswer] =
            [.accepted(Sample.hello, version: 1)]
            + HelloRefusal.allCases.map { .refused($0, text: "why: ä \($0)") }
        for wanted in answers {
            #expect(HelloReplyBody.encodeFrame(wanted, to: bytes.start) == 448)
            #expect(try answer(bytes) == wanted)
        }
    }

    @Test func aTextIsCutAndCleaned() throws {
        let bytes = Bytes(64 + 384)
        _ = HelloReplyBody.encodeFrame(
            .refused(.invalid, text: String(repeating: "x", count: 300)), to: bytes.start)
        #expect(try answer(bytes) == .refused(.invalid, text: String(repeating: "x", count: 248)))
        _ = HelloReplyBody.encodeFrame(.refused(.busy, text: "a\u{1B}[2J\nb"), to: bytes.start)
        #expect(try answer(bytes) == .refused(.busy, text: "a?[2J?b"))
    }

    @Test func brokenAnswersAreRefused() {
        let bytes = Bytes(64 + 384)
        let changes: [(HelloAnswer, Int, UInt8)] = [
            (.accepted(Sample.hello, version: 1), 116, 7),  // an unknown refusal
            (.accepted(Sample.hello, version: 1), 118, 2),  // a version that is not offered
            (.accepted(Sample.hello, version: 1), 120, 1),  // a text
            (.refused(.busy, text: "x"), 118, 1),  // a version
            (.refused(.busy, text: "x"), 120, 249),  // too long a text
        ]
        for (answered, offset, value) in changes {
            _ = HelloReplyBody.encodeFrame(answered, to: bytes.start)
            bytes[64 + offset] = value
            bytes.seal(from: 64, to: 64 + 380)
            #expect(throws: FrameFault.badHello) { try answer(bytes) }
        }
    }

    @Test func theHighestCommonVersionIsSpoken() {
        #expect(WireVersion.agreed(1...3, 2...7) == 3)
        #expect(WireVersion.agreed(1...3, 1...1) == 1)
        #expect(WireVersion.agreed(3...3, 1...9) == 3)
        #expect(WireVersion.agreed(1...3, 4...7) == nil)
        #expect(WireVersion.agreed(4...7, 1...3) == nil)
    }
}
