import CBlockDevices

@testable import FUSEProtocol

/// The bytes of a C structure.
func bytes<Value: BitwiseCopyable>(of value: Value) -> [UInt8] {
    withUnsafeBytes(of: value) { Array($0) }
}

/// A request as the kernel writes it: header, body, payload.
func request(
    _ opcode: fuse_opcode, _ body: [UInt8] = [], unique: UInt64 = 42, length: UInt32? = nil
) -> [UInt8] {
    var header = fuse_in_header()
    header.len = length ?? UInt32(MemoryLayout<fuse_in_header>.size + body.count)
    header.opcode = opcode.rawValue
    header.unique = unique
    header.nodeid = 1
    return bytes(of: header) + body
}

let diskBytes: UInt64 = 1 << 30

/// Parses at an odd address: no alignment is needed.
func decide(_ request: [UInt8]) -> FUSEDecision {
    ([0] + request).withUnsafeBytes {
        FUSERequest.parse(UnsafeRawBufferPointer(rebasing: $0[1...]), diskBytes: diskBytes)
    }
}

func readBody(_ offset: UInt64, _ size: UInt32) -> [UInt8] {
    var body = fuse_read_in()
    body.offset = offset
    body.size = size
    return bytes(of: body)
}

func writeBody(_ offset: UInt64, _ size: UInt32, payload: Int? = nil) -> [UInt8] {
    var body = fuse_write_in()
    body.offset = offset
    body.size = size
    return bytes(of: body) + [UInt8](repeating: 7, count: payload ?? Int(size))
}

func allocateBody(_ mode: UInt32, _ offset: UInt64, _ length: UInt64) -> [UInt8] {
    var body = fuse_fallocate_in()
    body.mode = mode
    body.offset = offset
    body.length = length
    return bytes(of: body)
}

func initBody(major: UInt32 = 7, minor: UInt32 = 45, flags: UInt64 = .max) -> [UInt8] {
    var body = fuse_init_in()
    body.major = major
    body.minor = minor
    body.max_readahead = 131_072
    body.flags = UInt32(truncatingIfNeeded: flags)
    body.flags2 = UInt32(flags >> 32)
    return bytes(of: body)
}
