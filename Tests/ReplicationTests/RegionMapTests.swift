import Testing
import Units
import WireFormat

@testable import Replication

@Suite struct RegionMapTests {
    static let regions: UInt64 = 256 * 3 + 10

    @Test(arguments: [1, 2, 3] as [UInt64])
    func keepsTheHighestStampOfEachRegion(seed: UInt64) {
        var random = SeededNumbers(state: seed)
        var map = RegionMap(regionCount: Self.regions)
        var model: [UInt64: Stamp] = [:]
        for _ in 0..<2000 {
            let region = random.next() % 50 * 15 % Self.regions
            let stamp = Stamp(1 + random.next() % 5, 1 + random.next() % 5)
            let isHigher = stamp > model[region] ?? .zero
            expect(map.raise(region, to: stamp) == isHigher)
            if isHigher { model[region] = stamp }
            expect(map[region] == model[region] ?? .zero)
        }
        for floor in [Stamp.zero, Stamp(2, 3), Stamp(5, 5)] {
            expect(
                listed(map, above: floor, pageOf: 7)
                    == model.filter { $0.value > floor }.map(\.key).sorted())
        }
    }

    private func listed(_ map: borrowing RegionMap, above floor: Stamp, pageOf size: Int) -> [UInt64] {
        let page = UnsafeMutableBufferPointer<RegionEntry>.allocate(capacity: size)
        defer { page.deallocate() }
        var found: [UInt64] = []
        var next: UInt64 = 0
        while next != ReplicaReply.listEnd {
            let count: Int
            (count, next) = map.list(above: floor, from: next, into: page)
            found += page[..<count].map(\.region)
        }
        return found
    }

    @Test func aPageIsDurableOnlyUpToWhatAWriteOfItBeganWith() {
        var map = RegionMap(regionCount: Self.regions)
        _ = map.raise(3, to: Stamp(1, 1))
        let first = map.lastChange
        expect(!map.isDurable(pages: 0...0, upTo: first))
        expect(map.beginWriting(page: 0))
        // One write of a page at a time.
        expect(!map.beginWriting(page: 0))
        _ = map.raise(4, to: Stamp(1, 1))
        let second = map.lastChange
        map.finishedWriting(page: 0)
        expect(map.isDurable(pages: 0...0, upTo: first))
        expect(!map.isDurable(pages: 0...0, upTo: second))
        expect(map.beginWriting(page: 0))
        map.finishedWriting(page: 0)
        expect(map.isDurable(pages: 0...2, upTo: second))
        expect(!map.beginWriting(page: 0))
    }

    @Test func whatWasLoadedIsDurable() {
        var map = RegionMap(regionCount: Self.regions)
        map.load(700, Stamp(4, 2))
        expect(map[700] == Stamp(4, 2))
        expect(!map.beginWriting(page: 2))
        expect(map.stamps(ofPage: 2)?[700 - 512] == Stamp(4, 2))
        expect(map.stamps(ofPage: 1) == nil)
    }
}
