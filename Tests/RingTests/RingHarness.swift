import Glibc
import Testing
import Units

@testable import Ring

extension EnginePlan: CustomTestStringConvertible {
    /// io_uring with everything this kernel has, io_uring with nothing newer than 6.0, libaio.
    static let tested: [EnginePlan] = {
        let features = EngineFeatures.probe()
        var plans: [EnginePlan] = []
        if let uring = features.uring { plans += [.uring(uring), .uring([])] }
        if features.aio { plans.append(.aio) }
        return plans
    }()

    public var testDescription: String {
        switch self {
        case .uring(let features): features.isEmpty ? "io_uring of 6.0" : "io_uring"
        case .aio: "libaio"
        }
    }
}

/// Makes a tag from a small number.
func tag(_ index: UInt32) -> OperationTag { OperationTag(kind: 1, index: index) }

extension Ring {
    /// The next completion; a failure of the test when none comes for 20 s.
    mutating func completion(_ location: SourceLocation = #_sourceLocation) throws -> Completion {
        let giveUp = BootClock.now() + .seconds(20)
        while BootClock.now() < giveUp {
            if let completion = nextCompletion() { return completion }
            submitAndWait(until: giveUp)
        }
        Issue.record("nothing completed", sourceLocation: location)
        throw Stuck()
    }

    /// The results of the next `count` completions by index, whatever order they come in.
    mutating func results(
        _ count: Int, _ location: SourceLocation = #_sourceLocation
    ) throws -> [UInt32: Int32] {
        var results: [UInt32: Int32] = [:]
        for _ in 0..<count {
            let completion = try completion(location)
            results[completion.tag.index] = completion.result
        }
        return results
    }

    /// The result of the one operation in flight.
    mutating func result(_ location: SourceLocation = #_sourceLocation) throws -> Int32 {
        try completion(location).result
    }
}

struct Stuck: Error {}

/// A file of this test only, open for O_DIRECT, removed at the end.
final class ScratchFile {
    let descriptor: Int32
    private let path: String

    init(bytes: Int = 0) throws {
        path = "/tmp/cio-ring-test-\(getpid())-\(Identifier.random().text)"
        descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC | OpenFlags.direct, 0o600)
        try #require(descriptor >= 0, "\(path): \(errno)")
        try #require(ftruncate(descriptor, off_t(bytes)) == 0)
    }

    deinit {
        close(descriptor)
        unlink(path)
    }
}

/// 4096-aligned memory.
final class Memory {
    let bytes: UnsafeMutableRawPointer
    let count: Int

    init(_ count: Int, filledWith byte: UInt8 = 0) {
        self.count = count
        bytes = .allocate(byteCount: count, alignment: 4096)
        fill(byte)
    }

    func fill(_ byte: UInt8) { memset(bytes, Int32(byte), count) }

    /// Bytes that tell their place.
    func fillWithPattern(_ seed: Int) {
        for i in 0..<count {
            let value = UInt8(truncatingIfNeeded: i &* 31 &+ seed &+ i >> 8)
            bytes.storeBytes(of: value, toByteOffset: i, as: UInt8.self)
        }
    }

    subscript(_ index: Int) -> UInt8 { bytes.load(fromByteOffset: index, as: UInt8.self) }

    func holds(only byte: UInt8) -> Bool { (0..<count).allSatisfy { self[$0] == byte } }

    static func == (a: Memory, b: Memory) -> Bool {
        a.count == b.count && memcmp(a.bytes, b.bytes, a.count) == 0
    }

    deinit { bytes.deallocate() }
}

/// Two sockets that are connected to each other.
func socketPair() throws -> (Int32, Int32) {
    var pair: [Int32] = [-1, -1]
    try #require(socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0, &pair) == 0)
    return (pair[0], pair[1])
}

/// A TCP listener on a free port of 127.0.0.1, and its address.
func listener() throws -> (socket: Int32, address: sockaddr_in) {
    let socket = Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    try withUnsafeMutablePointer(to: &address) {
        try $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
            try #require(bind(socket, $0, length) == 0)
            try #require(listen(socket, 64) == 0)
            try #require(getsockname(socket, $0, &length) == 0)
        }
    }
    return (socket, address)
}

func tcpSocket() -> Int32 { socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0) }

/// A socket address that stays in its place until it goes.
final class Address {
    let pointer: UnsafeMutablePointer<sockaddr_in>
    let length = socklen_t(MemoryLayout<sockaddr_in>.size)

    init(_ address: sockaddr_in) {
        pointer = .allocate(capacity: 1)
        pointer.initialize(to: address)
    }

    var generic: UnsafePointer<sockaddr> {
        UnsafeRawPointer(pointer).assumingMemoryBound(to: sockaddr.self)
    }

    deinit { pointer.deallocate() }
}
