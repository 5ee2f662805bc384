import Glibc

/// A message to and fro over TCP on loopback: what one hop between two `ciod` costs at least.
///
/// The other side is a thread that blocks in recv(2), as a `ciod` blocks in its loop: two threads
/// of one process cost the kernel what two processes cost, but for the switch of page tables.
enum PingPong {
    struct Failure: Error, CustomStringConvertible {
        let operation: String
        let code = errno

        var description: String { "\(operation): \(String(cString: strerror(code)))" }
    }

    /// - Returns: the nanoseconds of each round trip, after as many again that warm up, 1,000 at
    ///   most.
    static func measure(count: Int, byteCount: Int) throws -> [UInt64] {
        let listener = try tcpSocket()
        defer { close(listener) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = INADDR_LOOPBACK.bigEndian
        try onLoopback(&address, "bind") { bind(listener, $0, $1) }
        guard listen(listener, 1) == 0 else { throw Failure(operation: "listen") }
        try onLoopback(&address, "getsockname") { place, length in
            var length = length
            return getsockname(listener, UnsafeMutablePointer(mutating: place), &length)
        }
        let near = try tcpSocket()
        try onLoopback(&address, "connect") { connect(near, $0, $1) }
        let far = accept(listener, nil, nil)
        guard far >= 0 else { throw Failure(operation: "accept") }
        noDelay(far)
        let echo = try startEcho(Echo(socket: far, byteCount: byteCount))
        // The echo ends at the end of its stream.
        defer {
            close(near)
            pthread_join(echo, nil)
        }
        let message = UnsafeMutableRawPointer.allocate(byteCount: byteCount, alignment: 64)
        message.initializeMemory(as: UInt8.self, repeating: 0, count: byteCount)
        defer { message.deallocate() }
        for _ in 0..<min(count, 1000) { try roundTrip(near, message, byteCount) }
        var times: [UInt64] = []
        times.reserveCapacity(count)
        for _ in 0..<count {
            let began = now()
            try roundTrip(near, message, byteCount)
            times.append(now() - began)
        }
        return times
    }

    private static func roundTrip(
        _ socket: Int32, _ message: UnsafeMutableRawPointer, _ byteCount: Int
    ) throws {
        guard send(socket, message, byteCount, Int32(MSG_NOSIGNAL)) == byteCount else {
            throw Failure(operation: "send")
        }
        guard recv(socket, message, byteCount, Int32(MSG_WAITALL)) == byteCount else {
            throw Failure(operation: "recv")
        }
    }

    // MARK: The other side

    private struct Echo {
        let socket: Int32
        let byteCount: Int
    }

    private static func startEcho(_ echo: Echo) throws -> pthread_t {
        let place = UnsafeMutablePointer<Echo>.allocate(capacity: 1)
        place.initialize(to: echo)
        var thread = pthread_t()
        let code = pthread_create(&thread, nil, { place in
            let echo = place!.assumingMemoryBound(to: Echo.self)
            PingPong.answerAll(echo.pointee)
            echo.deallocate()
            return nil
        }, place)
        guard code == 0 else {
            place.deallocate()
            throw Failure(operation: "pthread_create")
        }
        return thread
    }

    private static func answerAll(_ echo: Echo) {
        let message = UnsafeMutableRawPointer.allocate(byteCount: echo.byteCount, alignment: 64)
        while recv(echo.socket, message, echo.byteCount, Int32(MSG_WAITALL)) == echo.byteCount,
            send(echo.socket, message, echo.byteCount, Int32(MSG_NOSIGNAL)) == echo.byteCount
        {}
        message.deallocate()
        close(echo.socket)
    }

    // MARK: Sockets

    private static func tcpSocket() throws -> Int32 {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { throw Failure(operation: "socket") }
        noDelay(descriptor)
        return descriptor
    }

    private static func noDelay(_ socket: Int32) {
        var one: Int32 = 1
        setsockopt(socket, Int32(IPPROTO_TCP), TCP_NODELAY, &one, socklen_t(MemoryLayout<Int32>.size))
    }

    private static func onLoopback(
        _ address: inout sockaddr_in, _ operation: String,
        _ body: (UnsafePointer<sockaddr>, socklen_t) -> Int32
    ) throws {
        let code = withUnsafeMutablePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                body($0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard code == 0 else { throw Failure(operation: operation) }
    }

    private static func now() -> UInt64 {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
    }
}
