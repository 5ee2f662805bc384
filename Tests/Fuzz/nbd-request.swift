// modules: Units NBDProtocol
import NBDProtocol
import Units

// Whatever a header says: what is to be performed lies inside the volume, what is refused has a
// reply that fits. The input is a flag byte, the volume's size in MiB (2 bytes) and headers.

private func check(_ header: UnsafeRawPointer, _ exportBytes: UInt64, _ structured: Bool) {
    let reply = UnsafeMutableRawPointer.allocate(byteCount: NBDReply.bytesMax, alignment: 1)
    defer { reply.deallocate() }
    switch NBDRequest.parse(header, exportBytes: exportBytes, structuredReplies: structured) {
    case .perform(let request):
        let length = UInt64(request.lengthBytes)
        require(request.offsetBytes <= exportBytes, "starts outside: \(request)")
        require(length <= exportBytes - request.offsetBytes, "ends outside: \(request)")
        require((request.offsetBytes | length) % 512 == 0, "unaligned: \(request)")
        require((length == 0) == (request.command == .flush), "empty: \(request)")
        if request.command == .read || request.command == .write {
            require(request.lengthBytes <= NBDLimits.payloadBytesMax, "too long: \(request)")
        }
        let size =
            request.command == .read
            ? NBDReply.encodeReadHeader(request, structuredReplies: structured, into: reply)
            : NBDReply.encodeSuccess(
                cookie: request.cookie, structuredReplies: structured, into: reply)
        require(size <= NBDReply.bytesMax, "a reply of \(size) bytes")
    case .refuse(let refusal):
        require(refusal.skippedBytes <= NBDLimits.skippedPayloadBytesMax, "skips \(refusal)")
        let size = NBDReply.encodeRefusal(refusal, structuredReplies: structured, into: reply)
        require(size <= NBDReply.bytesMax, "a reply of \(size) bytes")
    case .disconnect, .violation: break
    }
}

@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ start: UnsafePointer<UInt8>, _ count: Int) -> Int32 {
    guard count >= 3 + NBDRequest.headerBytes else { return 0 }
    let megabytes = UInt64(start[1]) << 8 | UInt64(start[2])
    // A copy at its exact size, so that a read beyond it is seen.
    let header = UnsafeMutableRawPointer.allocate(
        byteCount: NBDRequest.headerBytes, alignment: 1)
    defer { header.deallocate() }
    var position = 3
    while position + NBDRequest.headerBytes <= count {
        header.copyMemory(from: start + position, byteCount: NBDRequest.headerBytes)
        check(header, megabytes << 20, start[0] & 1 != 0)
        position += NBDRequest.headerBytes
    }
    return 0
}
