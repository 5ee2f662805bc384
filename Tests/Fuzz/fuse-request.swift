// modules: CBlockDevices Units FUSEProtocol
import FUSEProtocol
import Units

// Whatever a request says: what is to be performed lies inside the disk and inside the request's
// own bytes, what is answered has a reply that fits. The input is a request; it is tried as it
// is and with its length put right, as most of the parser lies behind that check.

private let diskBytes: UInt64 = 64 << 20

private func check(_ bytes: UnsafeRawBufferPointer) {
    switch FUSERequest.parse(bytes, diskBytes: diskBytes) {
    case .perform(let request):
        switch request.operation {
        case .read(let range):
            require(range.length <= UInt64(FUSELimits.payloadBytesMax), "too long: \(range)")
            checkInside(range)
        case .write(let range):
            let end = FUSELimits.payloadOffset + Int(range.length)
            require(end == bytes.count, "the payload is not there: \(range)")
            checkInside(range)
        case .discard(let range), .writeZeroes(let range): checkInside(range)
        case .flush: break
        }
    case .answer(let answer):
        let reply = UnsafeMutableRawPointer.allocate(
            byteCount: FUSELimits.replyBytesMax, alignment: 1)
        defer { reply.deallocate() }
        let size = FUSEReply.encode(answer, diskBytes: diskBytes, into: reply)
        require(size <= FUSELimits.replyBytesMax, "a reply of \(size) bytes")
        require(reply.loadUnaligned(as: UInt32.self) == size, "the header says otherwise")
        require(
            reply.loadUnaligned(fromByteOffset: 8, as: UInt64.self) == answer.unique,
            "another request's reply")
    case .ignore, .violation: break
    }
}

private func checkInside(_ range: ByteRange) {
    require(range.offset <= diskBytes, "starts outside: \(range)")
    require(range.length <= diskBytes - range.offset, "ends outside: \(range)")
}

@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ start: UnsafePointer<UInt8>, _ count: Int) -> Int32 {
    let input = UnsafeRawBufferPointer(start: start, count: count)
    check(input)
    guard count >= 4 else { return 0 }
    let mended = UnsafeMutableRawBufferPointer.allocate(byteCount: count, alignment: 1)
    defer { mended.deallocate() }
    mended.copyMemory(from: input)
    mended.storeBytes(of: UInt32(count), as: UInt32.self)
    check(UnsafeRawBufferPointer(mended))
    return 0
}
