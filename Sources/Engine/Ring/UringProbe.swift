import CURing
import Glibc

extension EngineFeatures {
    /// The operations that the engine cannot be without. SEND_ZC is never used: it stands for
    /// kernel 6.0, whose multishot accept and cancellation by descriptor cannot be asked for.
    private static let operationsNeeded: [(io_uring_op, String)] = [
        (IORING_OP_READ, "READ"), (IORING_OP_WRITE, "WRITE"), (IORING_OP_READ_FIXED, "READ_FIXED"),
        (IORING_OP_WRITE_FIXED, "WRITE_FIXED"), (IORING_OP_FSYNC, "FSYNC"),
        (IORING_OP_FALLOCATE, "FALLOCATE"), (IORING_OP_ACCEPT, "ACCEPT"),
        (IORING_OP_CONNECT, "CONNECT"), (IORING_OP_RECV, "RECV"), (IORING_OP_SEND, "SEND"),
        (IORING_OP_SENDMSG, "SENDMSG"), (IORING_OP_POLL_ADD, "POLL_ADD"),
        (IORING_OP_ASYNC_CANCEL, "ASYNC_CANCEL"), (IORING_OP_CLOSE, "CLOSE"),
        (IORING_OP_SEND_ZC, "all of kernel 6.0"),
    ]

    mutating func probeUring() {
        var ring = unsafe io_uring()
        let code = unsafe io_uring_queue_init(8, &ring, 0)
        guard code == 0 else {
            miss("io_uring", Self.reason(forSetup: -code) + "; libaio can do the work, "
                + "with more system calls per operation")
            return
        }
        defer { unsafe io_uring_queue_exit(&ring) }
        if let operation = unsafe Self.missingOperation(&ring) {
            miss("io_uring", "it lacks \(operation); libaio can do the work, "
                + "with more system calls per operation")
            return
        }

        var found: UringFeatures = []
        if Self.setupWorks(UInt32(IORING_SETUP_SINGLE_ISSUER)) { found.insert(.singleIssuer) }
        if Self.setupWorks(UInt32(IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN)) {
            found.insert(.deferredTaskWork)
        }
        if unsafe cio_uring_register_clock(&ring, CLOCK_BOOTTIME) == 0 {
            found.insert(.bootClockDeadlines)
        }
        if unsafe ring.features & CIO_FEAT_NO_IOWAIT != 0 { found.insert(.idleWithoutIOWait) }
        if unsafe Self.registersBuffers(&ring) { found.insert(.registeredBuffers) }
        uring = found
        reportMissing(in: found)
    }

    private mutating func reportMissing(in found: UringFeatures) {
        if !found.contains(.singleIssuer) {
            miss("io_uring SINGLE_ISSUER", "kernel older than 6.0; some locking per turn")
        }
        if !found.contains(.deferredTaskWork) {
            miss("io_uring DEFER_TASKRUN", "kernel older than 6.1; completions interrupt the loop, "
                + "small round trips over TCP take about twice as long")
        }
        if !found.contains(.registeredBuffers) {
            miss("io_uring registered buffers", "the locked-memory limit is too low (ulimit -l); "
                + "each disk operation pins its pages again")
        }
        if !found.contains(.bootClockDeadlines) {
            miss("io_uring boot clock", "kernel older than 6.12; "
                + "after a suspend of the machine timers fire late")
        }
        if !found.contains(.idleWithoutIOWait) {
            miss("io_uring NO_IOWAIT", "kernel older than 6.15; "
                + "an idle engine thread may be shown as waiting for I/O")
        }
    }

    private mutating func miss(_ name: String, _ cost: String) {
        missing.append(Missing(name: name, cost: cost))
    }

    private static func reason(forSetup code: Int32) -> String {
        switch code {
        case ENOSYS: "not in this kernel, or hidden by the container's seccomp profile"
        case EPERM: "forbidden (kernel.io_uring_disabled, or the container's seccomp profile)"
        case ENOMEM: "the locked-memory limit is too low (ulimit -l)"
        default: errorText(code)
        }
    }

    private static func missingOperation(_ ring: inout io_uring) -> String? {
        guard let probe = unsafe io_uring_get_probe_ring(&ring) else { return "the probe" }
        defer { unsafe io_uring_free_probe(probe) }
        let missing = operationsNeeded.first { operation, _ in
            unsafe io_uring_opcode_supported(probe, Int32(operation.rawValue)) == 0
        }
        return missing?.1
    }

    private static func setupWorks(_ flags: UInt32) -> Bool {
        var ring = unsafe io_uring()
        guard unsafe io_uring_queue_init(8, &ring, flags) == 0 else { return false }
        unsafe io_uring_queue_exit(&ring)
        return true
    }

    /// More than 8 MiB, the usual limit of locked memory for users other than root.
    private static func registersBuffers(_ ring: inout io_uring) -> Bool {
        let bytes = 9 << 20
        let memory = unsafe mmap(nil, bytes, PROT_READ | PROT_WRITE,
                                 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
        guard let memory = unsafe memory, unsafe memory != MAP_FAILED else { return false }
        defer { unsafe munmap(memory, bytes) }
        var area = unsafe iovec(iov_base: memory, iov_len: bytes)
        return unsafe io_uring_register_buffers(&ring, &area, 1) == 0
    }
}
