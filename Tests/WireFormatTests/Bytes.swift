import Units

@testable import WireFormat

/// A place to encode into and decode from, aligned as badly as possible.
final class Bytes {
    private let memory: UnsafeMutableRawPointer
    let start: UnsafeMutableRawPointer
    let count: Int

    init(_ count: Int) {
        self.count = count
        memory = .allocate(byteCount: count + 1, alignment: 16)
        memory.initializeMemory(as: UInt8.self, repeating: 0xEE, count: count + 1)
        start = memory + 1
    }

    deinit { memory.deallocate() }

    subscript(index: Int) -> UInt8 {
        get { start.load(fromByteOffset: index, as: UInt8.self) }
        set { start.storeBytes(of: newValue, toByteOffset: index, as: UInt8.self) }
    }

    var hex: String { hex(0..<count) }

    func hex(_ range: Range<Int>) -> String {
        range.map { index in
            let digits = String(self[index], radix: 16)
            return digits.count == 1 ? "0" + digits : digits
        }.joined()
    }

    func flip(bit: Int) { self[bit / 8] ^= 1 << UInt8(bit % 8) }

    /// Makes the header's checksum fit what was changed.
    func seal() { seal(from: 0, to: HeaderLayout.checksum) }

    func seal(from first: Int, to end: Int) {
        (start + end).storeLittleEndian(crc32c(start + first, end - first), at: 0)
    }
}

enum Sample {
    static let volume = VolumeID(high: 0x0011_2233_4455_6677, low: 0x8899_AABB_CCDD_EEFF)
    static let size: UInt64 = 10 << 30
    static let hello = Hello(
        cluster: id(1), node: id(2), incarnation: id(3), boot: id(4), volume: volume,
        replica: id(6), instance: id(7), sizeBytes: size)

    static func id(_ byte: UInt64) -> Identifier {
        Identifier(high: byte * 0x0101_0101_0101_0101, low: byte)
    }

    static let requests = FrameExpectation.requests(version: 1, volume: volume, sizeBytes: size)
    static let replies = FrameExpectation.replies(version: 1, volume: volume, sizeBytes: size)

    static let everyRequest: [ReplicaRequest] = {
        let data = ByteRange(offset: 7 << 20 | 4096, length: 12288)
        var copy = ReplicaRequest(
            .write, id: 1 << 40, epoch: 3, generation: 2,
            range: ByteRange(offset: size - Geometry.regionBytes, length: Geometry.regionBytes))
        copy.isCopy = true
        return [
            ReplicaRequest(.promise, id: .max, epoch: Stamp.partMax),
            ReplicaRequest(.read, id: 1, epoch: 1, range: data),
            ReplicaRequest(
                .write, id: 2, epoch: 9, generation: Stamp.partMax, range: data,
                forceUnitAccess: true),
            copy,
            ReplicaRequest(
                .discard, id: 3, epoch: 9, generation: 1,
                range: ByteRange(offset: 4096, length: 1 << 30)),
            ReplicaRequest(
                .writeZeroes, id: 4, epoch: 9, generation: 1, range: data, forceUnitAccess: true),
            ReplicaRequest(.flush, id: 5, epoch: 2),
            ReplicaRequest(
                .list, id: 6, epoch: 2, range: ByteRange(offset: 512, length: 0), stamp: Stamp(8, 1)
            ),
            ReplicaRequest(.lease, id: 7, epoch: 2),
            ReplicaRequest(.giveLeaseBack, id: 8, epoch: 2),
            ReplicaRequest(.checkpoint, id: 9, epoch: 2, stamp: Stamp(1, Stamp.partMax)),
            ReplicaRequest(.whole, id: 10, epoch: 2),
        ]
    }()

    static let everyReply: [ReplicaReply] =
        Sample.everyRequest.map { ReplicaReply($0.kind, id: $0.id, status: .ok, epoch: 11) }
        + [
            ReplicaReply(
                .promise, id: 1, status: .ok, epoch: 2,
                holding: Holding(checkpoint: Stamp(5, 6), intact: true, sameBoot: false)),
            ReplicaReply(
                .promise, id: 1, status: .ok, epoch: 2,
                holding: Holding(checkpoint: Stamp(5, 6), intact: false, sameBoot: true)),
            ReplicaReply(.list, id: 1, status: .ok, epoch: 2, nextRegion: 4000),
            ReplicaReply(.read, id: 2, status: .badChecksum, epoch: 2),
            ReplicaReply(.write, id: 3, status: .refused, epoch: Stamp.partMax),
            ReplicaReply(.flush, id: 4, status: .ioError, epoch: 0),
            ReplicaReply(.discard, id: 5, status: .noSpace, epoch: 2),
            ReplicaReply(.promise, id: 6, status: .invalid, epoch: 2),
        ]
}

/// One bit after the other (RFC 3720, appendix B.4): nothing in common with the product's.
func crc32c(_ bytes: UnsafeRawPointer, _ count: Int) -> UInt32 {
    var remainder = ~UInt32(0)
    for byte in UnsafeRawBufferPointer(start: bytes, count: count) {
        remainder ^= UInt32(byte)
        for _ in 0..<8 {
            remainder = remainder & 1 != 0 ? remainder >> 1 ^ 0x82F6_3B78 : remainder >> 1
        }
    }
    return ~remainder
}

func fault<Value>(_ body: () throws(FrameFault) -> Value) -> FrameFault? {
    do throws(FrameFault) {
        _ = try body()
        return nil
    } catch {
        return error
    }
}

/// Steele, Lea, Flood, "Fast Splittable Pseudorandom Number Generators" (2014): the same bytes in
/// every run.
struct SplitMix: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ mixed >> 30) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ mixed >> 27) &* 0x94D0_49BB_1331_11EB
        return mixed ^ mixed >> 31
    }
}
