// modules: CChecksum Units WireFormat
import CChecksum
import Units
import WireFormat

// Whatever a frame says: what is accepted lies inside the volume, and written again it is the
// same bytes. The input is a byte that says what is expected, and a frame; it is tried as it is
// and with magic, version, volume and checksums put right, as most checks lie behind those.

private let sizeBytes: UInt64 = 100 << 20
private let volume = VolumeID(high: 1, low: 2)

private let expectations: [FrameExpectation] = [
    .hello, .helloReply, .heartbeats(version: 1),
    .requests(version: 1, volume: volume, sizeBytes: sizeBytes),
    .replies(version: 1, volume: volume, sizeBytes: sizeBytes),
]

private func check(_ frame: UnsafeRawBufferPointer, _ expectation: FrameExpectation) {
    guard frame.count >= FrameHeader.byteCount, let start = frame.baseAddress,
        let header = try? FrameHeader.decode(start, expecting: expectation)
    else { return }
    checkSame(start, FrameHeader.byteCount) { header.encode(to: $0) }
    require(header.prefixBytes <= WireLimits.checksumBytesMax, "a prefix of \(header.prefixBytes)")
    require(header.payloadBytes <= WireLimits.dataBytesMax, "a payload of \(header.payloadBytes)")
    guard frame.count >= FrameHeader.byteCount + header.bodyBytes else { return }
    let body = start + FrameHeader.byteCount
    switch header.kind {
    case .hello:
        guard let hello = try? HelloBody.decode(header, body) else { return }
        require(hello.hello.cluster != .zero, "a hello from nowhere")
    case .helloReply:
        guard case .refused(_, let text)? = try? HelloReplyBody.decode(header, body) else { return }
        // A byte that is not UTF-8 becomes three.
        require(text.utf8.count <= 3 * WireLimits.refusalTextBytesMax, "too much text")
    case .heartbeat: break
    case .request: checkRequest(header, body)
    case .reply: checkReply(header, body)
    }
}

private func checkRequest(_ header: FrameHeader, _ body: UnsafeRawPointer) {
    guard let request = try? ReplicaRequest(header, prefix: body) else { return }
    if [.read, .write, .discard, .writeZeroes].contains(request.kind) {
        require(request.range.isBlockAligned, "partial blocks: \(request)")
        require(request.range.offset < sizeBytes, "starts outside: \(request)")
        require(request.range.end <= sizeBytes, "ends outside: \(request)")
    }
    checkSame(body - FrameHeader.byteCount, FrameHeader.byteCount) {
        require(request.encode(volume: volume, version: 1, to: $0) <= encodedBytesMax, "too long")
    }
}

private func checkReply(_ header: FrameHeader, _ body: UnsafeRawPointer) {
    guard let reply = try? ReplicaReply(header, prefix: body), reply.status == .ok else { return }
    if reply.kind == .list {
        let entries = UnsafeMutableBufferPointer<RegionEntry>.allocate(
            capacity: RegionEntry.pageMax)
        defer { entries.deallocate() }
        let regionCount = Geometry.regionCount(sizeBytes)
        let count = try? RegionEntries.decode(
            header, prefix: body, payload: body + RegionEntries.headBytes, from: 0,
            regionCount: regionCount, into: entries)
        for index in 0..<(count ?? 0) {
            require(entries[index].region < regionCount, "a region outside: \(entries[index])")
        }
    }
    let range = ByteRange(offset: header.offset, length: UInt64(header.length))
    checkSame(body - FrameHeader.byteCount, FrameHeader.byteCount) {
        let count = reply.encode(
            volume: volume, version: 1, range: range,
            entries: Int(header.length) / RegionEntries.entryBytes, to: $0)
        require(count <= encodedBytesMax, "too long")
    }
}

private let encodedBytesMax = FrameHeader.byteCount + HoldingBody.byteCount

/// What is written again must begin with the same bytes.
private func checkSame(
    _ bytes: UnsafeRawPointer, _ count: Int, _ write: (UnsafeMutableRawPointer) -> Void
) {
    let again = UnsafeMutableRawBufferPointer.allocate(byteCount: encodedBytesMax, alignment: 1)
    defer { again.deallocate() }
    write(again.baseAddress!)
    let read = UnsafeRawBufferPointer(start: bytes, count: count)
    require(again.prefix(count).elementsEqual(read), "written otherwise than read")
}

/// Puts right what no mutation can hit.
private func mend(_ frame: UnsafeMutableRawBufferPointer, _ expectation: FrameExpectation) {
    guard frame.count >= FrameHeader.byteCount, let start = frame.baseAddress else { return }
    let kind = FrameKind(rawValue: start.load(fromByteOffset: HeaderLayout.kind, as: UInt8.self))
    let body = start + FrameHeader.byteCount
    let bodyBytes = frame.count - FrameHeader.byteCount
    func seal(_ covered: Range<Int>, at place: Int) {
        guard covered.upperBound <= bodyBytes, place + 4 <= bodyBytes else { return }
        body.storeBytes(
            of: cio_crc32c(0, body + covered.lowerBound, covered.count).littleEndian,
            toByteOffset: place, as: UInt32.self)
    }
    switch kind {
    case .hello, .helloReply:
        let end = Int(start.loadUnaligned(fromByteOffset: HeaderLayout.length, as: UInt32.self)) - 4
        if end >= 0, end <= bodyBytes { seal(0..<end, at: end) }
    case .request(.list), .request(.checkpoint): seal(0..<16, at: 16)
    case .reply(.promise): seal(0..<20, at: 20)
    case .reply(.list): if bodyBytes >= 8 { seal(8..<bodyBytes, at: 4) }
    default: break
    }
    start.storeBytes(
        of: FrameHeader.magic.littleEndian, toByteOffset: HeaderLayout.magic, as: UInt32.self)
    start.storeBytes(
        of: UInt16(1).littleEndian, toByteOffset: HeaderLayout.version, as: UInt16.self)
    start.storeBytes(
        of: expectation.volume.high.bigEndian, toByteOffset: HeaderLayout.volume, as: UInt64.self)
    start.storeBytes(
        of: expectation.volume.low.bigEndian, toByteOffset: HeaderLayout.volume + 8,
        as: UInt64.self)
    start.storeBytes(
        of: cio_crc32c(0, start, HeaderLayout.checksum).littleEndian,
        toByteOffset: HeaderLayout.checksum, as: UInt32.self)
}

@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ start: UnsafePointer<UInt8>, _ count: Int) -> Int32 {
    guard count > FrameHeader.byteCount else { return 0 }
    let expectation = expectations[Int(start[0]) % expectations.count]
    let frame = UnsafeRawBufferPointer(start: start + 1, count: count - 1)
    check(frame, expectation)
    // Copies at their exact size, so that a read beyond the end is seen.
    let mended = UnsafeMutableRawBufferPointer.allocate(byteCount: frame.count, alignment: 1)
    defer { mended.deallocate() }
    mended.copyMemory(from: frame)
    mend(mended, expectation)
    check(UnsafeRawBufferPointer(mended), expectation)
    return 0
}
