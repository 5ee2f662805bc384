import CBlockDevices
import Glibc
import Testing

@testable import FUSEProtocol

@Suite struct FUSEAgreementTests {
    @Test func takesWhatItNeedsAndResending() throws {
        guard case .answer(let answer) = decide(request(FUSE_INIT, initBody())),
            case .agreement(let agreement) = answer.content
        else {
            Issue.record("no agreement with a kernel that offers everything")
            return
        }
        #expect(agreement.flags == 1 | 1 << 5 | 1 << 15 | 1 << 22 | 1 << 30 | 1 << 39)
        #expect(agreement.minor == 45)
        #expect(agreement.canResend)
    }

    @Test func oldKernelsCannotResend() {
        let offer = initBody(minor: 36, flags: FUSEAgreement.neededFlags)
        guard case .answer(let answer) = decide(request(FUSE_INIT, offer)),
            case .agreement(let agreement) = answer.content
        else {
            Issue.record("no agreement with Linux 6.1")
            return
        }
        #expect(!agreement.canResend)
    }

    @Test func refusesWhatCannotWork() {
        var bodies = [initBody(major: 8), initBody(major: 6), initBody(minor: 35)]
        for bit in 0..<64 where FUSEAgreement.neededFlags & 1 << bit != 0 {
            bodies.append(initBody(flags: ~(1 << bit)))
        }
        for body in bodies {
            #expect(
                decide(request(FUSE_INIT, body))
                    == .answer(FUSEAnswer(unique: 42, content: .error(EPROTO))))
        }
    }

    @Test func theExtendedFlagsMustBeThere() {
        let short = Array(initBody().prefix(16))
        #expect(
            decide(request(FUSE_INIT, short)) == .violation(.bodyTooShort(opcode: 26, bytes: 56)))
        #expect(
            decide(request(FUSE_INIT, Array(initBody(flags: 1).prefix(16))))
                == .answer(FUSEAnswer(unique: 42, content: .error(EPROTO))))
    }
}
