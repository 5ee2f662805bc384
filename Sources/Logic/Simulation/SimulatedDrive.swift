import Replication
import Units

/// One replica's files, with what a power loss may do to them.
///
/// A write is seen by reads once it is applied, and is durable once a flush that was asked for
/// after its end has ended; a power loss keeps any part of the rest, sector by sector. Marks and
/// the state are written durably: lost or kept only while under way.
final class SimulatedReplicaFiles {
    var sectors = [SectorValue](repeating: 0, count: Shape.sectors)
    /// Writes of each sector that no flush has made durable, oldest first, by their number.
    private var unflushed = [[(write: Int, value: SectorValue)]](repeating: [], count: Shape.sectors)
    private var durable = [SectorValue](repeating: 0, count: Shape.sectors)
    private var writeCount = 0
    /// Blocks that do not match their checksums any more.
    private(set) var rotten: Set<Int> = []

    var stamps = [Stamp](repeating: .zero, count: Shape.regions)
    var state = ReplicaState()
    /// Durable writes under way: what they would leave if they ended now.
    var marksUnderWay: [Int: [Stamp]] = [:]
    var stateUnderWay: ReplicaState?
    /// Data operations that the kernel has, of whichever process.
    var operationsUnderWay = 0
    /// Counts power losses: what was under way before one does not end after it.
    private(set) var era = 0

    func apply(_ data: SimulatedData, at indices: ArraySlice<Int>, from first: Int) {
        writeCount += 1
        for (offset, index) in indices.enumerated() {
            sectors[index] = data[first + offset]
            rotten.remove(index / Shape.sectorsPerBlock)
            unflushed[index].append((writeCount, data[first + offset]))
        }
    }

    func read(_ indices: [Int]) -> SimulatedData { indices.map { sectors[$0] } }

    func rot(_ block: Int) { rotten.insert(block) }

    func stopRotting() { rotten = [] }

    func isRotten(_ indices: [Int]) -> Bool {
        !rotten.isEmpty && indices.contains { rotten.contains($0 / Shape.sectorsPerBlock) }
    }

    /// The number to give to `flushed` when a flush that begins now has ended.
    func beginFlush() -> Int { writeCount }

    func flushed(upTo write: Int) {
        for index in sectors.indices {
            var kept = 0
            while kept < unflushed[index].count, unflushed[index][kept].write <= write {
                durable[index] = unflushed[index][kept].value
                kept += 1
            }
            if kept > 0 { unflushed[index].removeFirst(kept) }
        }
    }

    /// A write with forced unit access: these sectors are durable as they are.
    func flushed(only indices: [Int]) {
        for index in indices {
            durable[index] = sectors[index]
            unflushed[index] = []
        }
    }

    /// What lies on the medium whatever happens.
    func durableValue(_ index: Int) -> SectorValue? {
        unflushed[index].isEmpty ? durable[index] : nil
    }

    func losePower(_ random: inout SeededRandom) {
        let keepPercent = random.pick([0, 10, 50, 90, 100])
        for index in sectors.indices {
            var value = durable[index]
            for write in unflushed[index] where random.chance(keepPercent) { value = write.value }
            unflushed[index] = []
            durable[index] = value
            sectors[index] = value
        }
        for key in marksUnderWay.keys.sorted() {
            let written = marksUnderWay[key]!
            for region in stamps.indices where random.chance(50) { stamps[region] = max(stamps[region], written[region]) }
        }
        marksUnderWay = [:]
        if let state = stateUnderWay, random.chance(50) { self.state = state }
        stateUnderWay = nil
        operationsUnderWay = 0
        era += 1
    }
}
