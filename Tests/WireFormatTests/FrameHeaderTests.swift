import Testing
import Units

@testable import WireFormat

@Suite struct FrameHeaderTests {
    private static let everyExpectation: [FrameExpectation] = [
        .hello, .helloReply, .heartbeats(version: 1), Sample.requests, Sample.replies,
    ]

    private func decoded(_ bytes: Bytes, _ expectation: FrameExpectation) -> FrameFault? {
        fault { () throws(FrameFault) in try FrameHeader.decode(bytes.start, expecting: expectation)
        }
    }

    /// A request's header with one field changed, and a checksum that fits.
    private func requestFault(
        _ request: ReplicaRequest, _ change: (inout FrameHeader) -> Void
    ) -> FrameFault? {
        let bytes = Bytes(88)
        _ = request.encode(volume: Sample.volume, version: 1, to: bytes.start)
        return changed(bytes, Sample.requests, change)
    }

    private func changed(
        _ bytes: Bytes, _ expectation: FrameExpectation, _ change: (inout FrameHeader) -> Void
    ) -> FrameFault? {
        do throws(FrameFault) {
            var header = try FrameHeader.decode(bytes.start, expecting: expectation)
            change(&header)
            header.encode(to: bytes.start)
        } catch {
            return error
        }
        return decoded(bytes, expectation)
    }

    @Test func everyFlippedBitIsRefused() {
        for request in Sample.everyRequest {
            let bytes = Bytes(88)
            _ = request.encode(volume: Sample.volume, version: 1, to: bytes.start)
            for bit in 0..<64 * 8 {
                bytes.flip(bit: bit)
                #expect(decoded(bytes, Sample.requests) != nil, "bit \(bit) of \(request.kind)")
                bytes.flip(bit: bit)
            }
            #expect(decoded(bytes, Sample.requests) == nil)
        }
    }

    @Test func randomBytesNeverTrap() {
        var random = SplitMix(state: 7)
        let bytes = Bytes(64 + WireLimits.helloBytesMax)
        for _ in 0..<20_000 {
            for word in 0..<bytes.count / 8 {
                bytes.start.storeLittleEndian(random.next(), at: word * 8)
            }
            #expect(acceptances(of: bytes) == 0)
        }
    }

    /// Valid frames with a few bytes changed and a checksum that fits: the checks behind it decide.
    @Test func changedFramesNeverTrap() {
        var random = SplitMix(state: 8)
        let bytes = Bytes(64 + WireLimits.helloBytesMax)
        var accepted = 0
        for _ in 0..<2000 {
            for request in Sample.everyRequest {
                _ = request.encode(volume: Sample.volume, version: 1, to: bytes.start)
                for _ in 0..<Int.random(in: 0...3, using: &random) {
                    bytes[Int.random(in: 4..<60, using: &random)] = UInt8(random.next() & 0xFF)
                }
                bytes.seal()
                accepted += acceptances(of: bytes)
            }
        }
        #expect(accepted > 1000, "the checks behind the checksum were hardly reached")
    }

    private func acceptances(of bytes: Bytes) -> Int {
        var count = 0
        for expectation in Self.everyExpectation {
            guard decoded(bytes, expectation) == nil,
                let header = try? FrameHeader.decode(bytes.start, expecting: expectation)
            else { continue }
            count += 1
            #expect(header.prefixBytes <= WireLimits.checksumBytesMax)
            #expect(header.payloadBytes <= Int(WireLimits.dataBytesMax))
            _ = fault { () throws(FrameFault) in
                try ReplicaRequest(header, prefix: bytes.start + 64)
            }
            _ = fault { () throws(FrameFault) in
                try ReplicaReply(header, prefix: bytes.start + 64)
            }
        }
        return count
    }

    @Test func eachFieldIsNamed() {
        let bytes = Bytes(64)
        let flush = ReplicaRequest(.flush, id: 1, epoch: 2)
        _ = flush.encode(volume: Sample.volume, version: 1, to: bytes.start)
        bytes.flip(bit: 500)
        #expect("\(decoded(bytes, Sample.requests)!)".hasPrefix("the header's checksum is"))
        bytes[0] = 0x47
        #expect(decoded(bytes, Sample.requests) == .badMagic(0xC10D_A747))
        #expect(requestFault(flush) { $0.version = 2 } == .wrongVersion(2, agreed: 1))
        #expect(requestFault(flush) { $0.flags = 1 } == .unknownFlags(.request(.flush), 1))
        #expect(requestFault(flush) { $0.epoch = 0 } == .badEpoch(0))
        #expect(requestFault(flush) { $0.epoch = 1 << 48 } == .badEpoch(1 << 48))
        #expect(requestFault(flush) { $0.generation = 1 } == .fieldNotZero(.request(.flush)))
        #expect(requestFault(flush) { $0.volume = .zero } == .wrongVolume)
        #expect(requestFault(flush) { $0.offset = 1 } == .fieldNotZero(.request(.flush)))
        #expect(requestFault(flush) { $0.length = 1 } == .fieldNotZero(.request(.flush)))
        #expect(
            requestFault(flush) { $0.kind = .reply(.flush) } == .unexpectedKind(.reply(.flush)))
        #expect(requestFault(flush) { $0.kind = .hello } == .unexpectedKind(.hello))
    }

    @Test func unknownKindsAreRefused() {
        let bytes = Bytes(64)
        let known = Set([1, 0x81, 2] + (16...26).flatMap { [$0, $0 | 0x80] } as [UInt8])
        for kind in UInt8.min...UInt8.max {
            FrameHeader(.heartbeat, version: 1).encode(to: bytes.start)
            bytes[HeaderLayout.kind] = kind
            bytes.seal()
            #expect(
                (decoded(bytes, Sample.requests) == .unknownKind(kind)) == !known.contains(kind))
            #expect(
                FrameKind(rawValue: kind).map(\.rawValue) == (known.contains(kind) ? kind : nil))
        }
    }

    @Test func framesOutOfPlaceAreRefused() throws {
        let bytes = Bytes(512)
        let frames: [(FrameExpectation.Frames, () -> Void)] = [
            (.hello, { _ = HelloBody.encodeFrame(Sample.hello, to: bytes.start) }),
            (
                .helloReply,
                {
                    _ = HelloReplyBody.encodeFrame(
                        .accepted(Sample.hello, version: 1), to: bytes.start)
                }
            ),
            (.heartbeats, { FrameHeader(.heartbeat, version: 1).encode(to: bytes.start) }),
            (
                .requests,
                {
                    _ = Sample.everyRequest[0].encode(
                        volume: Sample.volume, version: 1, to: bytes.start)
                }
            ),
            (
                .replies,
                {
                    _ = Sample.everyReply[0].encode(
                        volume: Sample.volume, version: 1, to: bytes.start)
                }
            ),
        ]
        for (kind, encode) in frames {
            encode()
            for expectation in Self.everyExpectation {
                let found = decoded(bytes, expectation)
                #expect(
                    (found == nil) == (expectation.frames == kind), "\(kind) for \(expectation)")
            }
        }
    }

    @Test func dataRangesKeepTheirLimits() {
        let read = Sample.everyRequest[1]
        let kind = FrameKind.request(.read)
        #expect(requestFault(read) { $0.length = 0 } == .badLength(kind, 0))
        #expect(requestFault(read) { $0.length = 512 } == .badLength(kind, 512))
        #expect(
            requestFault(read) { $0.length = 1 << 20 | 4096 } == .badLength(kind, 1 << 20 | 4096))
        #expect(requestFault(read) { $0.offset = 512 } == .badOffset(kind, 512))
        #expect(
            requestFault(read) { $0.offset = 1 << 20 - 4096 }
                == .badRange(kind, offset: 1 << 20 - 4096, length: 12288))
        for offset in [Sample.size, Sample.size - 4096, UInt64.max - 4095] {
            #expect(
                requestFault(read) { $0.offset = offset }
                    == .badRange(kind, offset: offset, length: 12288))
        }
        #expect(
            requestFault(read) {
                $0.offset = 4 << 20
                $0.length = 1 << 20
            } == nil)
    }

    @Test func changesKeepTheirLimits() {
        let discard = Sample.everyRequest.first { $0.kind == .discard }!
        let kind = FrameKind.request(.discard)
        #expect(
            requestFault(discard) { $0.length = 1 << 30 | 4096 } == .badLength(kind, 1 << 30 | 4096)
        )
        #expect(requestFault(discard) { $0.flags = 4 } == .unknownFlags(kind, 4))
        #expect(requestFault(discard) { $0.generation = 0 } == .badGeneration(0))
        #expect(requestFault(discard) { $0.generation = 1 << 48 } == .badGeneration(1 << 48))
        #expect(
            requestFault(discard) { $0.offset = Sample.size }
                == .badRange(kind, offset: Sample.size, length: 1 << 30))
    }

    @Test func listsKeepTheirLimits() {
        let list = Sample.everyRequest.first { $0.kind == .list }!
        let regions = Geometry.regionCount(Sample.size)
        #expect(requestFault(list) { $0.offset = regions } == nil)
        #expect(
            requestFault(list) { $0.offset = regions + 1 }
                == .badOffset(.request(.list), regions + 1))
        #expect(requestFault(list) { $0.length = 16 } == .badLength(.request(.list), 16))
        let bytes = Bytes(128)
        let kind = FrameKind.reply(.list)
        func replied(_ change: (inout FrameHeader) -> Void) -> FrameFault? {
            let reply = ReplicaReply(.list, id: 1, status: .ok, epoch: 1, nextRegion: 9)
            _ = reply.encode(volume: Sample.volume, version: 1, entries: 2048, to: bytes.start)
            return changed(bytes, Sample.replies, change)
        }
        #expect(replied { $0.length = 2049 * 24 } == .badLength(kind, 2049 * 24))
        #expect(replied { $0.length = 25 } == .badLength(kind, 25))
        #expect(replied { $0.offset = regions + 1 } == .badOffset(kind, regions + 1))
        #expect(replied { $0.offset = .max } == nil)
    }

    @Test func repliesKeepTheirLimits() {
        let bytes = Bytes(128)
        func replied(_ reply: ReplicaReply, _ change: (inout FrameHeader) -> Void) -> FrameFault? {
            _ = reply.encode(
                volume: Sample.volume, version: 1, range: ByteRange(offset: 0, length: 4096),
                to: bytes.start)
            return changed(bytes, Sample.replies, change)
        }
        let failed = ReplicaReply(.read, id: 1, status: .ioError, epoch: 1)
        #expect(replied(failed) { $0.flags = 6 } == .unknownStatus(6))
        #expect(replied(failed) { $0.length = 4096 } == .fieldNotZero(.reply(.read)))
        #expect(replied(failed) { $0.generation = 1 } == .fieldNotZero(.reply(.read)))
        #expect(replied(failed) { $0.epoch = 1 << 50 } == .badEpoch(1 << 50))
        let read = ReplicaReply(.read, id: 1, status: .ok, epoch: 1)
        #expect(replied(read) { $0.length = 0 } == .badLength(.reply(.read), 0))
        let promise = ReplicaReply(.promise, id: 1, status: .ok, epoch: 1)
        #expect(replied(promise) { $0.length = 0 } == .badLength(.reply(.promise), 0))
        #expect(replied(promise) { $0.offset = 1 } == .fieldNotZero(.reply(.promise)))
    }
}
