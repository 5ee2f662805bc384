import CBlockDevices
import Glibc
import Testing
import Units

@testable import FUSEProtocol

private func perform(_ operation: FUSEOperation, unique: UInt64 = 42) -> FUSEDecision {
    .perform(FUSERequest(unique: unique, operation: operation))
}

private func answer(_ content: FUSEAnswer.Content) -> FUSEDecision {
    .answer(FUSEAnswer(unique: 42, content: content))
}

@Suite struct FUSERequestTests {
    @Test func readsAreCutAtTheEnd() {
        let cases: [(UInt64, UInt32, UInt64, UInt64)] = [
            (0, 4096, 0, 4096), (diskBytes - 4096, 4096, diskBytes - 4096, 4096),
            (diskBytes - 4096, 8192, diskBytes - 4096, 4096), (diskBytes, 4096, diskBytes, 0),
            (1 << 63, 4096, diskBytes, 0), (512, 1 << 20, 512, 1 << 20), (0, 0, 0, 0),
        ]
        for (offset, size, start, length) in cases {
            #expect(
                decide(request(FUSE_READ, readBody(offset, size)))
                    == perform(.read(ByteRange(offset: start, length: length))))
        }
    }

    @Test func writesCarryTheirPayload() {
        for (offset, size) in [(UInt64(0), UInt32(512)), (diskBytes - 4096, 4096), (0, 1 << 20)] {
            #expect(
                decide(request(FUSE_WRITE, writeBody(offset, size)))
                    == perform(.write(ByteRange(offset: offset, length: UInt64(size)))))
        }
        let whole = request(FUSE_WRITE, writeBody(0, 512))
        #expect(FUSELimits.payloadOffset == 80)
        #expect(whole[80...].allSatisfy { $0 == 7 })
    }

    @Test func badWritesAreRefused() {
        for (offset, size) in [(UInt64(1), UInt32(512)), (0, 100), (0, 0)] {
            #expect(
                decide(request(FUSE_WRITE, writeBody(offset, size))) == answer(.error(EINVAL)))
        }
        for offset in [diskBytes, diskBytes - 512, 1 << 63, UInt64.max - 511] {
            #expect(
                decide(request(FUSE_WRITE, writeBody(offset, 1024))) == answer(.error(ENOSPC)))
        }
    }

    @Test func unalignedOrHugeReadsAreRefused() {
        for (offset, size) in [(UInt64(1), UInt32(512)), (0, 100), (0, 1 << 20 + 512)] {
            #expect(
                decide(request(FUSE_READ, readBody(offset, size))) == answer(.error(EINVAL)))
        }
    }

    @Test func modesOfFallocate() {
        let range = ByteRange(offset: 4096, length: 1 << 29)
        #expect(
            decide(request(FUSE_FALLOCATE, allocateBody(0x3, 4096, 1 << 29)))
                == perform(.discard(range)))
        #expect(
            decide(request(FUSE_FALLOCATE, allocateBody(0x11, 4096, 1 << 29)))
                == perform(.writeZeroes(range)))
        for mode in [UInt32(0), 1, 2, 0x10, 0x8, 0x20, .max] {
            #expect(
                decide(request(FUSE_FALLOCATE, allocateBody(mode, 0, 4096)))
                    == answer(.error(EOPNOTSUPP)))
        }
        for (offset, length, errno) in [
            (UInt64(0), UInt64(0), EINVAL), (7, 512, EINVAL), (0, diskBytes + 512, ENOSPC),
            (.max - 511, 1024, ENOSPC), (512, .max - 511, ENOSPC),
        ] {
            for mode in [UInt32(0x3), 0x11] {
                #expect(
                    decide(request(FUSE_FALLOCATE, allocateBody(mode, offset, length)))
                        == answer(.error(errno)))
            }
        }
    }

    @Test func resentRequestsKeepTheirMark() {
        let unique: UInt64 = 1 << 63 | 42
        let decision = decide(request(FUSE_READ, readBody(0, 512), unique: unique))
        #expect(decision == perform(.read(ByteRange(offset: 0, length: 512)), unique: unique))
        guard case .perform(let resent) = decision else { return }
        #expect(resent.isResent)
        #expect(!FUSERequest(unique: 42, operation: .flush).isResent)
    }

    @Test func whatNeedsNoVolumeIsAnsweredAtOnce() {
        #expect(decide(request(FUSE_FSYNC, bytes(of: fuse_fsync_in()))) == perform(.flush))
        #expect(
            decide(request(FUSE_GETATTR, bytes(of: fuse_getattr_in()))) == answer(.attributes))
        #expect(decide(request(FUSE_OPEN, bytes(of: fuse_open_in()))) == answer(.opened))
        #expect(decide(request(FUSE_STATFS)) == answer(.statistics))
        #expect(decide(request(FUSE_FLUSH, bytes(of: fuse_flush_in()))) == answer(.done))
        #expect(decide(request(FUSE_RELEASE, bytes(of: fuse_release_in()))) == answer(.done))
        #expect(decide(request(FUSE_DESTROY)) == answer(.done))
        #expect(decide(request(FUSE_FORGET, bytes(of: fuse_forget_in()))) == .ignore)
        #expect(decide(request(FUSE_BATCH_FORGET)) == .ignore)
    }

    @Test func theSizeIsNotTheFilesToChange() {
        var body = fuse_setattr_in()
        body.valid = UInt32(FATTR_MTIME)
        #expect(decide(request(FUSE_SETATTR, bytes(of: body))) == answer(.attributes))
        body.valid |= UInt32(FATTR_SIZE)
        #expect(decide(request(FUSE_SETATTR, bytes(of: body))) == answer(.error(EPERM)))
        body.size = diskBytes
        #expect(decide(request(FUSE_SETATTR, bytes(of: body))) == answer(.attributes))
    }

    @Test func everythingElseIsNotImplemented() {
        let known: Set<UInt32> = [2, 3, 4, 14, 15, 16, 17, 18, 20, 25, 26, 38, 42, 43]
        for opcode in Array(0...60) + [4096, UInt32.max] where !known.contains(opcode) {
            #expect(decide(request(fuse_opcode(opcode), [1, 2, 3])) == answer(.error(ENOSYS)))
        }
    }

    @Test func shortAndLongRequestsAreViolations() {
        let whole = request(FUSE_READ, readBody(0, 512))
        for count in 0..<40 {
            #expect(decide(Array(whole.prefix(count))) == .violation(.truncated(bytes: count)))
        }
        for count in 40..<whole.count {
            #expect(
                decide(Array(whole.prefix(count)))
                    == .violation(.lengthMismatch(header: UInt32(whole.count), bytes: count)))
        }
        for opcode in [
            FUSE_READ, FUSE_FSYNC, FUSE_FALLOCATE, FUSE_GETATTR, FUSE_SETATTR, FUSE_OPEN,
            FUSE_FLUSH, FUSE_RELEASE, FUSE_INIT, FUSE_WRITE,
        ] {
            #expect(
                decide(request(opcode, [0, 0, 0, 0]))
                    == .violation(.bodyTooShort(opcode: opcode.rawValue, bytes: 44)))
        }
        for (size, payload) in [(UInt32(512), 511), (512, 513), (0, 1), (.max, 512)] {
            #expect(
                decide(request(FUSE_WRITE, writeBody(0, size, payload: payload)))
                    == .violation(.payloadMismatch(announced: size, bytes: payload)))
        }
        let over = 1 << 20 + 512
        #expect(
            decide(request(FUSE_WRITE, writeBody(0, UInt32(over))))
                == .violation(.payloadMismatch(announced: UInt32(over), bytes: over)))
    }
}
