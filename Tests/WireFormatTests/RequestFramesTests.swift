import Testing
import Units

@testable import WireFormat

@Suite struct RequestFramesTests {
    @Test(arguments: Sample.everyRequest)
    func requestsComeBack(request: ReplicaRequest) throws {
        let bytes = Bytes(128)
        let count = request.encode(volume: Sample.volume, version: 1, to: bytes.start)
        let header = try FrameHeader.decode(bytes.start, expecting: Sample.requests)
        #expect(try ReplicaRequest(header, prefix: bytes.start + 64) == request)
        let hasStamp = request.kind == .list || request.kind == .checkpoint
        #expect(count == (hasStamp ? 88 : 64))
        if request.kind == .write {
            #expect(header.payloadBytes == Int(request.range.length))
            #expect(header.prefixBytes == (request.range.length == 12288 ? 16 : 1024))
        } else {
            #expect(header.bodyBytes == count - 64)
        }
        #expect(FrameHeader.byteCount + header.prefixBytes <= WireLimits.leadBytesMax)
    }

    @Test(arguments: Sample.everyReply)
    func repliesComeBack(reply: ReplicaReply) throws {
        let bytes = Bytes(128)
        let range = ByteRange(offset: 1 << 20, length: 8192)
        let count = reply.encode(
            volume: Sample.volume, version: 1, range: range, entries: 3, to: bytes.start)
        let header = try FrameHeader.decode(bytes.start, expecting: Sample.replies)
        #expect(try ReplicaReply(header, prefix: bytes.start + 64) == reply)
        switch (reply.kind, reply.status) {
        case (.read, .ok): #expect((header.prefixBytes, header.payloadBytes) == (8, 8192))
        case (.list, .ok): #expect((header.prefixBytes, header.payloadBytes) == (8, 72))
        default: #expect(header.bodyBytes == count - 64)
        }
    }

    /// So that a change of the format is noticed: what stands on the wire today.
    @Test func theGoldenWrite() throws {
        let request = ReplicaRequest(
            .write, id: 0x0102_0304_0506_0708, epoch: 5, generation: 6,
            range: ByteRange(offset: 0x1234_5000, length: 8192), forceUnitAccess: true)
        let bytes = Bytes(64)
        _ = request.encode(volume: Sample.volume, version: 1, to: bytes.start)
        #expect(
            bytes.hex(0..<60)
                == "a1a70dc1" + "0100" + "12" + "01" + "0807060504030201" + "0500000000000000"
                + "0600000000000000" + "00112233445566778899aabbccddeeff" + "0050341200000000"
                + "00200000")
        #expect(
            bytes.start.loadUnaligned(fromByteOffset: 60, as: UInt32.self).littleEndian
                == crc32c(bytes.start, 60))
    }

    @Test func theGoldenPromiseReply() throws {
        let reply = ReplicaReply(
            .promise, id: 3, status: .ok, epoch: 4,
            holding: Holding(checkpoint: Stamp(1, 2), intact: true, sameBoot: true))
        let bytes = Bytes(88)
        #expect(reply.encode(volume: Sample.volume, version: 1, to: bytes.start) == 88)
        #expect(bytes.hex(4..<8) == "01009000")
        #expect(bytes.hex(56..<60) == "18000000")
        #expect(bytes.hex(64..<84) == "0100000000000000" + "0200000000000000" + "03000000")
    }

    @Test func damagedBodiesAreRefused() throws {
        for request in Sample.everyRequest
        where request.kind == .list || request.kind == .checkpoint {
            let bytes = Bytes(88)
            _ = request.encode(volume: Sample.volume, version: 1, to: bytes.start)
            let header = try FrameHeader.decode(bytes.start, expecting: Sample.requests)
            for bit in 64 * 8..<88 * 8 {
                bytes.flip(bit: bit)
                #expect(
                    fault { () throws(FrameFault) in
                        try ReplicaRequest(header, prefix: bytes.start + 64)
                    } != nil)
                bytes.flip(bit: bit)
            }
        }
    }

    @Test func damagedHoldingsAreRefused() throws {
        let bytes = Bytes(24)
        HoldingBody.encode(Holding(checkpoint: Stamp(1, 2), intact: true), to: bytes.start)
        for bit in 0..<24 * 8 {
            bytes.flip(bit: bit)
            #expect(
                fault { () throws(FrameFault) in try HoldingBody.decode(bytes.start) }
                    == .badBodyChecksum(.reply(.promise)))
            bytes.flip(bit: bit)
        }
    }

    @Test func stampsAboveTheirBitsAreRefused() {
        let bytes = Bytes(24)
        StampBody.encode(Stamp(Stamp.partMax + 1, 1), to: bytes.start)
        #expect(
            fault { () throws(FrameFault) in
                try StampBody.decode(bytes.start, of: .request(.list))
            } == .badStamp)
        bytes.start.storeLittleEndian(UInt64(1), at: 0)
        bytes.start.storeLittleEndian(UInt32(4), at: 16)
        bytes.seal(from: 0, to: 16)
        bytes[20] = 1
        #expect(
            fault { () throws(FrameFault) in
                try StampBody.decode(bytes.start, of: .request(.list))
            }
                == .fieldNotZero(.request(.list)))
    }

    @Test func unknownHoldingFlagsAreRefused() {
        let bytes = Bytes(24)
        HoldingBody.encode(Holding(), to: bytes.start)
        bytes[16] = 4
        bytes.seal(from: 0, to: 20)
        #expect(
            fault { () throws(FrameFault) in try HoldingBody.decode(bytes.start) }
                == .unknownFlags(.reply(.promise), 4))
    }
}
