import DriveFormat
import Replication
import Testing
import Units
import WireFormat

@testable import DriveStore

/// The table beside a model that cannot be wrong: a dictionary of what every block holds.
///
/// Random writes, discards, failed writes, reads, fills, loads that fail, passes to a sidecar that
/// fail or are cut off, trims, and crashes. True data is never refused. Changed data is refused
/// wherever the block must be known: written, cleared or read by this process, or in a region that
/// was not written since the checkpoint that the checksums count up to.
@Suite struct ChecksumTableModelTests {
    @Test(arguments: 1...60)
    func theTableNeverErrs(seed: UInt64) {
        let run = ModelRun(seed: seed)
        for _ in 0..<800 { run.step() }
        #expect(run.mismatchesFound > 10 && run.crashes > 0 && run.checkpoints > 0)
    }
}

private final class ModelRun {
    static let size: UInt64 = (2 << 30) | (9 << 20) | 8192
    /// Around the start, a chunk's border, and the volume's end.
    static let places: [UInt64] = [0, (2 << 30) - (6 << 20), (2 << 30) | (3 << 20)]

    var random: SplitMix
    var table: ChecksumTable
    var map: RegionMap
    var stamps: [UInt64: Stamp] = [:]
    /// Of every block that is not zeros.
    var disk: [UInt64: UInt32] = [:]
    var known: Set<UInt64> = []
    var sidecar: [Int: [UInt32]] = [:]
    var generation: UInt64 = 1
    var checksummed = Stamp.zero
    var mismatchesFound = 0
    var crashes = 0
    var checkpoints = 0

    init(seed: UInt64) {
        random = SplitMix(state: seed)
        map = RegionMap(regionCount: Geometry.regionCount(Self.size))
        table = ChecksumTable(sizeBytes: Self.size, map: map, checksummed: .zero)
    }

    func step() {
        switch Int.random(in: 0..<100, using: &random) {
        case 0..<30: write(succeeds: true)
        case 30..<33: write(succeeds: false)
        case 33..<43: discard()
        case 43..<75: read()
        case 75..<80: changedRead()
        case 80..<84: fillOne()
        case 84..<87: table.trim(to: Int.random(in: 0..<4, using: &random))
        case 87..<92: generation += 1
        case 92..<97: checkpoint()
        default: crash()
        }
    }

    // MARK: Requests

    private func write(succeeds: Bool) {
        let range = dataRange()
        mark(range)
        let checksums = Self.blocks(range).map { _ in UInt32(truncatingIfNeeded: random.next()) }
        load { $0.prepare(range) }
        for (block, checksum) in zip(Self.blocks(range), checksums) {
            // What a failed write has left is anyone's guess.
            if succeeds || Bool.random(using: &random) { disk[block] = checksum }
            if succeeds { known.insert(block) } else { known.remove(block) }
        }
        if succeeds { table.set(range, Row(checksums).words) } else { table.forget(range) }
    }

    private func discard() {
        var range = dataRange()
        if Bool.random(using: &random) {
            let length = UInt64.random(in: 1...2500, using: &random) * 4096
            range.length = min(length, Self.size - range.offset)
        }
        for region in range.firstRegion...range.lastRegion where stamps[region] != nil {
            mark(region)
        }
        load { $0.prepareClear(range) }
        for block in Self.blocks(range) {
            disk[block] = nil
            known.insert(block)
        }
        table.clear(range)
    }

    private func read() {
        let range = dataRange()
        load { $0.prepare(range) }
        #expect(table.verify(range, row(range).words) == nil, "true data is refused in \(range)")
        known.formUnion(Self.blocks(range))
    }

    /// One block is not what was written.
    private func changedRead() {
        let range = dataRange()
        let changed = Self.blocks(range).randomElement(using: &random)!
        let checksums = Self.blocks(range).map { $0 == changed ? ~checksum($0) : checksum($0) }
        let mustBeFound = known.contains(changed)
        // An unknown block would teach the table what is wrong.
        if !mustBeFound { return }
        load { $0.prepare(range) }
        #expect(table.verify(range, Row(checksums).words) == changed * 4096)
        mismatchesFound += 1
    }

    private func fillOne() {
        guard let region = table.firstUnknownRegion(upTo: Stamp(1, generation), in: map) else {
            return
        }
        let range = ByteRange(offset: region << 20, length: table.regionBytes(region))
        load { $0.prepare(range) }
        table.fill(range, row(range).words)
        known.formUnion(Self.blocks(range))
    }

    // MARK: Sidecar

    private func checkpoint() {
        let stamp = Stamp(1, generation)
        generation += 1
        let fillsAll = Int.random(in: 0..<4, using: &random) > 0
        while fillsAll, table.firstUnknownRegion(upTo: stamp, in: map) != nil { fillOne() }
        let fails = Int.random(in: 0..<4, using: &random) == 0
        let buffer = AlignedMemory(count: 3 * 4096)
        var page = 0
        while let run = table.beginWriting(from: page, to: buffer.bytes, room: 3) {
            let succeeds = !fails || Bool.random(using: &random)
            for place in 0..<run.count where succeeds {
                let words = (buffer.bytes + place * 4096).assumingMemoryBound(to: UInt32.self)
                sidecar[run.first + place] = Array(UnsafeBufferPointer(start: words, count: 1024))
            }
            if Int.random(in: 0..<3, using: &random) == 0 { read() }
            if Int.random(in: 0..<3, using: &random) == 0 { write(succeeds: true) }
            table.finishedWriting(run, succeeded: succeeds)
            page = run.next
        }
        if fails || !table.vouches(upTo: stamp, in: map) { return }
        checksummed = stamp
        checkpoints += 1
    }

    private func crash() {
        crashes += 1
        generation += 1
        map = RegionMap(regionCount: Geometry.regionCount(Self.size))
        for (region, stamp) in stamps { map.load(region, stamp) }
        table = ChecksumTable(sizeBytes: Self.size, map: map, checksummed: checksummed)
        for page in sidecar.keys { table.noteStored(page: page) }
        known = []
        for place in Self.places {
            let end = min(place + (6 << 20), Self.size)
            for block in place / 4096..<end / 4096
            where stamps[block / 256] ?? .zero <= checksummed { known.insert(block) }
        }
    }

    private func load(_ ask: (inout ChecksumTable) -> ChecksumTable.Readiness) {
        while true {
            switch ask(&table) {
            case .ready: return
            case .loading: fatalError("nobody else loads")
            case .load(let page):
                if Int.random(in: 0..<10, using: &random) == 0 {
                    table.loadFailed(page: page)
                } else {
                    let zeros = [UInt32](repeating: 0, count: 1024)
                    table.loaded(page: page, sidecar[page] ?? zeros)
                }
            }
        }
    }

    // MARK: Arithmetic

    private func dataRange() -> ByteRange {
        let place = Self.places.randomElement(using: &random)!
        let regions = min(6, (Self.size - place + Geometry.regionBytes - 1) / Geometry.regionBytes)
        let region = place / Geometry.regionBytes + UInt64.random(in: 0..<regions, using: &random)
        let blocks = min(256, (Self.size - region << 20) / 4096)
        let first = UInt64.random(in: 0..<blocks, using: &random)
        let isWhole = Int.random(in: 0..<5, using: &random) == 0
        let count = UInt64.random(in: 1...blocks - first, using: &random)
        return isWhole
            ? ByteRange(offset: region << 20, length: blocks * 4096)
            : ByteRange(offset: region << 20 | first * 4096, length: count * 4096)
    }

    private static func blocks(_ range: ByteRange) -> Range<UInt64> {
        range.offset / 4096..<range.end / 4096
    }

    private func checksum(_ block: UInt64) -> UInt32 { disk[block] ?? BlockChecksums.ofZeroBlock }

    private func row(_ range: ByteRange) -> Row { Row(Self.blocks(range).map(checksum)) }

    private func mark(_ range: ByteRange) { mark(range.firstRegion) }

    private func mark(_ region: UInt64) {
        stamps[region] = Stamp(1, generation)
        map.load(region, Stamp(1, generation))
    }
}

/// Steele, Lea, Flood, "Fast Splittable Pseudorandom Number Generators" (2014): a seed's run is the
/// same each time.
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
