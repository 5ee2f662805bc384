import Testing

@testable import NBDProtocol

private let size: UInt64 = 1 << 30

private func parse(
    _ command: UInt16, flags: UInt16 = 0, offset: UInt64 = 0, length: UInt32 = 4096,
    magic: UInt32 = 0x2560_9513, structured: Bool = true
) -> NBDDecision {
    let bytes =
        [0] + bigEndian(magic) + bigEndian(flags) + bigEndian(command)
        + bigEndian(UInt64(0x0102_0304_0506_0708)) + bigEndian(offset) + bigEndian(length)
    return bytes.withUnsafeBytes {  // one byte in: any alignment will do
        NBDRequest.parse($0.baseAddress! + 1, exportBytes: size, structuredReplies: structured)
    }
}

private func refused(_ cause: NBDRefusalCause, skipped: UInt32 = 0) -> NBDDecision {
    .refuse(NBDRefusal(cookie: 0x0102_0304_0506_0708, cause: cause, skippedBytes: skipped))
}

@Suite struct NBDRequestTests {
    static let commands: [(UInt16, NBDCommand)] = [
        (0, .read), (1, .write), (4, .trim), (6, .writeZeroes),
    ]

    @Test(arguments: commands)
    func rangesAreAccepted(number: UInt16, command: NBDCommand) {
        for (offset, length) in [(UInt64(0), UInt32(512)), (size - 512, 512), (4096, 32 << 20)] {
            let request = NBDRequest(
                command: command, cookie: 0x0102_0304_0506_0708, offsetBytes: offset,
                lengthBytes: length, forcesUnitAccess: false, keepsAllocation: false)
            #expect(parse(number, offset: offset, length: length) == .perform(request))
            #expect(request.payloadBytes == (command == .write ? length : 0))
        }
    }

    @Test func theGoldenWrite() {
        let bytes: [UInt8] = [
            0x25, 0x60, 0x95, 0x13, 0x00, 0x01, 0x00, 0x01, 0, 0, 0, 0, 0, 0, 0, 9,
            0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0x10, 0,
        ]
        let decision = bytes.withUnsafeBytes {
            NBDRequest.parse($0.baseAddress!, exportBytes: size, structuredReplies: false)
        }
        #expect(
            decision
                == .perform(
                    NBDRequest(
                        command: .write, cookie: 9, offsetBytes: 65536, lengthBytes: 4096,
                        forcesUnitAccess: true, keepsAllocation: false)))
    }

    @Test func flushHasNoRange() {
        #expect(
            parse(3, length: 0)
                == .perform(
                    NBDRequest(
                        command: .flush, cookie: 0x0102_0304_0506_0708, offsetBytes: 0,
                        lengthBytes: 0, forcesUnitAccess: false, keepsAllocation: false)))
        #expect(parse(3, length: 512) == refused(.flushWithRange))
        #expect(parse(3, offset: 512, length: 0) == refused(.flushWithRange))
    }

    @Test func disconnectIgnoresItsFields() {
        #expect(parse(2, flags: .max, offset: .max, length: .max) == .disconnect)
    }

    @Test(arguments: [UInt16(5), 7, 8, 9, 255, .max])
    func unknownCommands(number: UInt16) {
        #expect(parse(number, length: .max) == refused(.unknownCommand))
    }

    @Test(arguments: commands + [(3, .flush)])
    func flagsGoWithTheirCommands(number: UInt16, command: NBDCommand) {
        let length: UInt32 = command == .flush ? 0 : 4096
        for bit in 0..<16 {
            for structured in [true, false] {
                let allowed =
                    bit == 0 || (bit == 1 && command == .writeZeroes)
                    || (bit == 2 && command == .read && structured)
                let decision = parse(
                    number, flags: 1 << bit, length: length, structured: structured)
                guard allowed else {
                    let skipped: UInt32 = command == .write ? 4096 : 0
                    #expect(decision == refused(.flagNotApplicable, skipped: skipped))
                    continue
                }
                guard case .perform(let request) = decision else {
                    Issue.record("bit \(bit) of \(command): \(decision)")
                    continue
                }
                #expect(request.forcesUnitAccess == (bit == 0))
                #expect(request.keepsAllocation == (bit == 1))
            }
        }
    }

    @Test(arguments: commands)
    func badRangesAreRefused(number: UInt16, command: NBDCommand) {
        let writes = command == .write || command == .writeZeroes
        let outside: NBDRefusalCause = writes ? .outOfRangeWrite : .outOfRangeRead
        let cases: [(UInt64, UInt32, NBDRefusalCause)] = [
            (0, 0, .emptyRange), (size, 0, .emptyRange), (1, 512, .unaligned),
            (0, 511, .unaligned), (256, 256, .unaligned), (size, 512, outside),
            (size - 512, 1024, outside), (.max - 511, 512, outside), (.max - 511, 1024, outside),
            (1 << 63, 512, outside),
        ]
        for (offset, length, cause) in cases {
            #expect(
                parse(number, offset: offset, length: length)
                    == refused(cause, skipped: command == .write ? length : 0))
        }
    }

    @Test func longReadsAndWritesAreRefused() {
        let long: UInt32 = 32 << 20 | 512
        #expect(parse(0, length: long) == refused(.readTooLong))
        #expect(parse(1, length: long) == refused(.writeTooLong, skipped: long))
        #expect(parse(1, length: 64 << 20) == refused(.writeTooLong, skipped: 64 << 20))
        #expect(parse(1, length: 64 << 20 | 1) == .violation(.oversizedPayload(64 << 20 | 1)))
        for number in [UInt16(4), 6] {
            guard case .perform = parse(number, length: 1 << 30) else {
                Issue.record("command \(number) has no payload and no such limit")
                continue
            }
        }
    }

    @Test func wrongMagicIsAViolation() {
        #expect(parse(0, magic: 0x2560_9514) == .violation(.badRequestMagic(0x2560_9514)))
    }
}
