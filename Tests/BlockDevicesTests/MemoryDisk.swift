import BlockDevices
import FUSEProtocol
import Foundation
import Glibc
import Synchronization
import Units

/// A FUSE disk in memory, served by one blocking thread: the smallest thing that is a disk.
/// Memory stands in for the volume, so that what is discarded reads as zeros.
final class MemoryDisk: Sendable {
    static let bytesMax = 1 << 30

    let mount: FUSEMount
    private let memory: Memory
    private let state: Mutex<State>

    struct State {
        var sizeBytes: Int
        var flushes = 0
        var discards = 0
        var resent = 0
        var canResend = false
        /// Requests are read and then forgotten, as by a process that dies over them.
        var losesRequests = false
        var lost = 0
        /// Writes are done, and said to be only when somebody asks for the attributes: one each
        /// time, before these are told.
        var holdsWrites = false
        var held: [[UInt8]] = []
        var server: pthread_t?
    }

    /// Zeros until written; shared by every disk that is made from it.
    final class Memory: @unchecked Sendable {
        let base: UnsafeMutableRawPointer

        init() {
            base = mmap(
                nil, MemoryDisk.bytesMax, PROT_READ | PROT_WRITE,
                MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0)
            precondition(base != MAP_FAILED)
        }

        deinit { munmap(base, MemoryDisk.bytesMax) }
    }

    init(at path: String, sizeBytes: Int, memory: Memory = Memory()) throws {
        self.memory = memory
        state = Mutex(State(sizeBytes: sizeBytes))
        mount = try FUSEMount.mount(at: path)
        startServer()
    }

    var counts: State { state.withLock { $0 } }

    func resize(to bytes: Int) { state.withLock { $0.sizeBytes = bytes } }

    func loseRequests(_ loses: Bool) { state.withLock { $0.losesRequests = loses } }

    func holdWrites() { state.withLock { $0.holdsWrites = true } }

    func releaseWrites() {
        for reply in state.withLock({ state in
            defer { (state.holdsWrites, state.held) = (false, []) }
            return state.held
        }) { tell(reply) }
    }

    private func tell(_ reply: [UInt8]) { _ = write(mount.descriptor, reply, reply.count) }

    /// What a new process does with a connection that another one left it.
    func resend() {
        var notification = [UInt8](repeating: 0, count: FUSELimits.replyBytesMax)
        let count = notification.withUnsafeMutableBytes {
            FUSEReply.encodeResendNotification(into: $0.baseAddress!)
        }
        precondition(write(mount.descriptor, notification, count) == count)
    }

    /// The machine's death: the connection ends with its last descriptor.
    func die() {
        try? FUSEMount.abort(connection: mount.connection)
        join()
    }

    /// Unmounts and waits for the server's end.
    func unmount() throws {
        try mount.unmountLazily()
        join()
    }

    private func join() {
        guard let server = state.withLock({ $0.server.take() }) else { return }
        pthread_join(server, nil)
        close(mount.descriptor)
    }

    private func startServer() {
        var thread = pthread_t()
        let this = Unmanaged.passRetained(self).toOpaque()
        let failure = pthread_create(&thread, nil, { this in
            Unmanaged<MemoryDisk>.fromOpaque(this!).takeRetainedValue().serve()
            return nil
        }, this)
        precondition(failure == 0)
        state.withLock { $0.server = thread }
    }

    private func serve() {
        let buffer = UnsafeMutableRawBufferPointer.allocate(
            byteCount: FUSELimits.requestBytesMax, alignment: 4096)
        let reply = UnsafeMutableRawPointer.allocate(
            byteCount: FUSELimits.replyBytesMax + FUSELimits.payloadBytesMax, alignment: 4096)
        defer {
            buffer.deallocate()
            reply.deallocate()
        }
        while true {
            var wait = pollfd(fd: mount.descriptor, events: Int16(POLLIN), revents: 0)
            poll(&wait, 1, -1)
            let count = read(mount.descriptor, buffer.baseAddress!, buffer.count)
            if count < 0 {
                if errno == EAGAIN || errno == EINTR || errno == ENOENT { continue }
                return  // ENODEV: unmounted; ECONNABORTED: aborted
            }
            let request = UnsafeRawBufferPointer(rebasing: buffer[..<count])
            let replied = answer(request, reply)
            if replied > 0 { _ = write(mount.descriptor, reply, replied) }
        }
    }

    private func answer(
        _ bytes: UnsafeRawBufferPointer, _ reply: UnsafeMutableRawPointer
    ) -> Int {
        let size = UInt64(counts.sizeBytes)
        switch FUSERequest.parse(bytes, diskBytes: size) {
        case .perform(let request):
            let loses = state.withLock { state in
                if request.isResent { state.resent += 1 }
                if state.losesRequests { state.lost += 1 }
                return state.losesRequests
            }
            return loses ? 0 : perform(request, bytes, reply)
        case .answer(let answer):
            if case .agreement(let agreement) = answer.content {
                state.withLock { $0.canResend = agreement.canResend }
            }
            if case .attributes = answer.content,
                let overtaking = state.withLock({ $0.held.popLast() })
            {
                tell(overtaking)
            }
            return FUSEReply.encode(answer, diskBytes: size, into: reply)
        case .ignore: return 0
        case .violation(let violation): fatalError("the kernel wrote nonsense: \(violation)")
        }
    }

    private func perform(
        _ request: FUSERequest, _ bytes: UnsafeRawBufferPointer, _ reply: UnsafeMutableRawPointer
    ) -> Int {
        switch request.operation {
        case .read(let range):
            let header = FUSEReply.encodeReadHeader(
                unique: request.unique, dataBytes: Int(range.length), into: reply)
            memcpy(reply + header, memory.base + Int(range.offset), Int(range.length))
            return header + Int(range.length)
        case .write(let range):
            let payload = bytes.baseAddress! + FUSELimits.payloadOffset
            memcpy(memory.base + Int(range.offset), payload, Int(range.length))
            let count = FUSEReply.encodeWritten(
                unique: request.unique, dataBytes: Int(range.length), into: reply)
            return state.withLock { state in
                guard state.holdsWrites else { return count }
                state.held.append([UInt8](UnsafeRawBufferPointer(start: reply, count: count)))
                return 0
            }
        case .flush: state.withLock { $0.flushes += 1 }
        case .discard(let range), .writeZeroes(let range):
            state.withLock { $0.discards += 1 }
            memset(memory.base + Int(range.offset), 0, Int(range.length))
        }
        return FUSEReply.encodeDone(unique: request.unique, into: reply)
    }
}
