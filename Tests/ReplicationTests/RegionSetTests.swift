import Testing

@testable import Replication

@Suite struct RegionSetTests {
    /// Over three pages, the last of them not full.
    static let regions: UInt64 = 4096 * 2 + 100

    @Test(arguments: [1, 2, 3] as [UInt64])
    func isWhatASetOfNumbersIs(seed: UInt64) {
        var random = SeededNumbers(state: seed)
        var set = RegionSet(regionCount: Self.regions)
        var model: Set<UInt64> = []
        for _ in 0..<3000 {
            // Close together, so that they meet.
            let region = (random.next() % 40) * 211 % Self.regions
            switch random.next() % 5 {
            case 0, 1:
                set.insert(region)
                model.insert(region)
            case 2:
                set.remove(region)
                model.remove(region)
            case 3:
                expect(set.next(from: region) == model.filter { $0 >= region }.min())
            default:
                let last = min(region + random.next() % 500, Self.regions - 1)
                expect(
                    set.intersects(region, last) == model.contains { (region...last).contains($0) })
            }
            expect(set.contains(region) == model.contains(region))
            expect(set.count == UInt64(model.count))
            expect(set.isEmpty == model.isEmpty)
        }
        set.removeAll()
        expect(set.isEmpty && set.next(from: 0) == nil)
    }

    @Test func findsTheFirstAndTheLastRegion() {
        var set = RegionSet(regionCount: Self.regions)
        set.insert(0)
        set.insert(Self.regions - 1)
        expect(set.next(from: 0) == 0)
        expect(set.next(from: 1) == Self.regions - 1)
        expect(set.next(from: Self.regions - 1) == Self.regions - 1)
    }
}

/// SplitMix64.
struct SeededNumbers {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}
