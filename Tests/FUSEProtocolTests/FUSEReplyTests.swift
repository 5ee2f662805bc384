import CBlockDevices
import Glibc
import Testing

@testable import FUSEProtocol

/// What an encoder wrote, and nothing beyond what it said.
private func written(_ encode: (UnsafeMutableRawPointer) -> Int) -> [UInt8] {
    var memory = [UInt8](repeating: 0xaa, count: FUSELimits.replyBytesMax + 9)
    let count = memory.withUnsafeMutableBytes { encode($0.baseAddress! + 1) }
    #expect(count <= FUSELimits.replyBytesMax)
    #expect(memory[0] == 0xaa)
    #expect(memory[(1 + count)...].allSatisfy { $0 == 0xaa })
    return Array(memory[1..<(1 + count)])
}

private func written(_ content: FUSEAnswer.Content) -> [UInt8] {
    written {
        FUSEReply.encode(
            FUSEAnswer(unique: mark, content: content), diskBytes: diskBytes, into: $0)
    }
}

private let mark: UInt64 = 0x8102_0304_0506_0708
private let markBytes: [UInt8] = [8, 7, 6, 5, 4, 3, 2, 0x81]

private func header(_ length: UInt8, error: [UInt8] = [0, 0, 0, 0]) -> [UInt8] {
    [length, 0, 0, 0] + error + markBytes
}

private func body<Body: BitwiseCopyable>(of reply: [UInt8], as type: Body.Type) -> Body {
    reply.withUnsafeBytes { $0.loadUnaligned(fromByteOffset: 16, as: type) }
}

@Suite struct FUSEReplyTests {
    @Test func headersAlone() {
        #expect(written { FUSEReply.encodeDone(unique: mark, into: $0) } == header(16))
        #expect(written(.done) == header(16))
        let error = header(16, error: [0xfb, 0xff, 0xff, 0xff])  // -5
        #expect(written { FUSEReply.encodeError(unique: mark, EIO, into: $0) } == error)
        #expect(written(.error(EIO)) == error)
    }

    @Test func dataFollowsTheReadHeader() {
        #expect(
            written { FUSEReply.encodeReadHeader(unique: mark, dataBytes: 4096, into: $0) }
                == [0x10, 0x10, 0, 0, 0, 0, 0, 0] + markBytes)
    }

    @Test func writtenTellsHowMuch() {
        #expect(
            written { FUSEReply.encodeWritten(unique: mark, dataBytes: 1 << 20, into: $0) }
                == header(24) + [0, 0, 0x10, 0, 0, 0, 0, 0])
    }

    @Test func theResendNotificationHasNoMark() {
        #expect(
            written { FUSEReply.encodeResendNotification(into: $0) }
                == [16, 0, 0, 0, 7, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0])
    }

    @Test func openingNeedsNothing() {
        #expect(written(.opened) == header(32) + [UInt8](repeating: 0, count: 16))
    }

    @Test func initStatesTheLimits() throws {
        guard case .answer(let answer) = decide(request(FUSE_INIT, initBody(), unique: mark))
        else { return }
        let reply = written(answer.content)
        #expect(Array(reply.prefix(16)) == header(80))
        let body = body(of: reply, as: fuse_init_out.self)
        #expect(body.major == 7)
        #expect(body.minor == 45)
        #expect(body.max_readahead == 131_072)
        #expect(body.max_write == 1 << 20)
        #expect(body.max_pages == 256)
        #expect(body.max_background == 256)
        #expect(body.congestion_threshold == 192)
        #expect(body.flags == 1 | 1 << 5 | 1 << 15 | 1 << 22 | 1 << 30)
        #expect(body.flags2 == 1 << 7)
    }

    @Test func attributesAreAPlainFileValidForNoTime() {
        let reply = written(.attributes)
        #expect(Array(reply.prefix(16)) == header(120))
        let body = body(of: reply, as: fuse_attr_out.self)
        #expect(body.attr_valid == 0 && body.attr_valid_nsec == 0)
        #expect(body.attr.mode == 0o100600)
        #expect(body.attr.size == diskBytes)
        #expect(body.attr.ino == 1 && body.attr.nlink == 1)
    }

    @Test func statisticsTellTheSize() {
        let reply = written(.statistics)
        #expect(Array(reply.prefix(16)) == header(96))
        let body = body(of: reply, as: fuse_statfs_out.self)
        #expect(body.st.blocks * UInt64(body.st.bsize) == diskBytes)
    }
}
