import Testing

@testable import NBDProtocol

/// What an encoder wrote, and nothing beyond what it said.
private func written(_ encode: (UnsafeMutableRawPointer) -> Int) -> [UInt8] {
    let size = NBDReply.bytesMax + 9
    var memory = [UInt8](repeating: 0xaa, count: size)
    let count = memory.withUnsafeMutableBytes { encode($0.baseAddress! + 1) }
    #expect(count <= NBDReply.bytesMax)
    #expect(memory[0] == 0xaa)
    #expect(memory[(1 + count)...].allSatisfy { $0 == 0xaa })
    return Array(memory[1..<(1 + count)])
}

private let read = NBDRequest(
    command: .read, cookie: 0xa1a2_a3a4_a5a6_a7a8, offsetBytes: 0x1_0000, lengthBytes: 4096,
    forcesUnitAccess: false, keepsAllocation: false)
private let cookie: [UInt8] = [0xa1, 0xa2, 0xa3, 0xa4, 0xa5, 0xa6, 0xa7, 0xa8]
private let simpleMagic: [UInt8] = [0x67, 0x44, 0x66, 0x98]
private let structuredMagic: [UInt8] = [0x66, 0x8e, 0x33, 0xef]

@Suite struct NBDReplyTests {
    @Test func simpleReplies() {
        #expect(
            written { NBDReply.encodeReadHeader(read, structuredReplies: false, into: $0) }
                == simpleMagic + [0, 0, 0, 0] + cookie)
        #expect(
            written {
                NBDReply.encodeSuccess(cookie: read.cookie, structuredReplies: false, into: $0)
            } == simpleMagic + [0, 0, 0, 0] + cookie)
        #expect(
            written {
                NBDReply.encodeError(
                    cookie: read.cookie, .noSpace, message: "full", offsetBytes: 7,
                    structuredReplies: false, into: $0)
            } == simpleMagic + [0, 0, 0, 28] + cookie)
    }

    @Test func aReadIsOneChunkThatEndsTheReply() {
        #expect(
            written { NBDReply.encodeReadHeader(read, structuredReplies: true, into: $0) }
                == structuredMagic + [0, 1, 0, 1] + cookie + [0, 0, 0x10, 8]
                + [0, 0, 0, 0, 0, 1, 0, 0])
    }

    @Test func successIsAnEmptyChunk() {
        #expect(
            written {
                NBDReply.encodeSuccess(cookie: read.cookie, structuredReplies: true, into: $0)
            } == structuredMagic + [0, 1, 0, 0] + cookie + [0, 0, 0, 0])
    }

    @Test func errorsCarryTheirText() {
        #expect(
            written {
                NBDReply.encodeError(
                    cookie: read.cookie, .shuttingDown, message: "bye", structuredReplies: true,
                    into: $0)
            } == structuredMagic + [0, 1, 0x80, 1] + cookie + [0, 0, 0, 9]
                + [0, 0, 0, 108, 0, 3] + Array("bye".utf8))
        #expect(
            written {
                NBDReply.encodeError(
                    cookie: read.cookie, .inputOutput, message: "bye", offsetBytes: 0x1_0200,
                    structuredReplies: true, into: $0)
            } == structuredMagic + [0, 1, 0x80, 2] + cookie + [0, 0, 0, 17]
                + [0, 0, 0, 5, 0, 3] + Array("bye".utf8) + [0, 0, 0, 0, 0, 1, 2, 0])
    }

    @Test func longTextsAreCut() {
        let reply = written {
            NBDReply.encodeError(
                cookie: 1, .invalid,
                message: """
                    a text that has far more to say than anybody will ever want to read about \
                    one request that failed, and that goes on and on and on and on and on
                    """,
                offsetBytes: 0, structuredReplies: true, into: $0)
        }
        #expect(reply.count == NBDReply.bytesMax)
    }

    static let causes: [(NBDRefusalCause, NBDError)] = [
        (.unknownCommand, .invalid), (.flagNotApplicable, .invalid), (.emptyRange, .invalid),
        (.unaligned, .invalid), (.outOfRangeRead, .invalid), (.outOfRangeWrite, .noSpace),
        (.flushWithRange, .invalid), (.writeTooLong, .invalid), (.readTooLong, .overflow),
    ]

    @Test(arguments: causes)
    func refusalsSayWhy(cause: NBDRefusalCause, error: NBDError) {
        let refusal = NBDRefusal(cookie: read.cookie, cause: cause, skippedBytes: 0)
        let reply = written {
            NBDReply.encodeRefusal(refusal, structuredReplies: true, into: $0)
        }
        #expect(Array(reply[20..<24]) == bigEndian(error.rawValue))
        #expect(String(decoding: reply[26...], as: UTF8.self) == "\(cause.message)")
        let simple = written {
            NBDReply.encodeRefusal(refusal, structuredReplies: false, into: $0)
        }
        #expect(Array(simple[4..<8]) == bigEndian(error.rawValue))
    }
}
