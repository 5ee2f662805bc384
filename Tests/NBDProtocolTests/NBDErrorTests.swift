import Glibc
import NBDProtocol
import Testing

@Suite struct NBDErrorTests {
    @Test(arguments: [
        (EPERM, NBDError.notPermitted), (EACCES, .notPermitted), (EROFS, .notPermitted),
        (EIO, .inputOutput), (ENOMEM, .noMemory), (EINVAL, .invalid), (ENOSPC, .noSpace),
        (EDQUOT, .noSpace), (EFBIG, .noSpace), (EOVERFLOW, .overflow), (ENOTSUP, .notSupported),
        (ESHUTDOWN, .shuttingDown), (ENODATA, .inputOutput), (ETIMEDOUT, .inputOutput),
        (0, .inputOutput), (-1, .inputOutput),
    ])
    func everyErrnoHasAnAnswer(errno: Int32, error: NBDError) {
        #expect(NBDError(errno: errno) == error)
    }

    @Test func numbersAreTheProtocols() {
        let all: [NBDError] = [
            .notPermitted, .inputOutput, .noMemory, .invalid, .noSpace, .overflow,
            .notSupported, .shuttingDown,
        ]
        #expect(all.map(\.rawValue) == [1, 5, 12, 22, 28, 75, 95, 108])
    }
}
