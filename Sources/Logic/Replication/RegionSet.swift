import Units

/// A set of regions of one volume: a bitmap of 512-byte pages that exist once they are needed.
struct RegionSet: ~Copyable {
    private static let regionsPerPage: UInt64 = 4096
    private static let wordsPerPage = 64

    private(set) var count: UInt64 = 0
    private let pageCount: Int
    private let pages: UnsafeMutablePointer<UnsafeMutablePointer<UInt64>?>

    init(regionCount: UInt64) {
        pageCount = Int((regionCount + Self.regionsPerPage - 1) / Self.regionsPerPage)
        pages = .allocate(capacity: pageCount)
        pages.initialize(repeating: nil, count: pageCount)
    }

    deinit {
        for index in 0..<pageCount { pages[index]?.deallocate() }
        pages.deallocate()
    }

    var isEmpty: Bool { count == 0 }

    func contains(_ region: UInt64) -> Bool {
        guard let page = pages[Int(region / Self.regionsPerPage)] else { return false }
        let bit = region % Self.regionsPerPage
        return page[Int(bit / 64)] >> (bit % 64) & 1 != 0
    }

    func intersects(_ first: UInt64, _ last: UInt64) -> Bool {
        if count == 0 { return false }
        return next(from: first).map { $0 <= last } ?? false
    }

    mutating func insert(_ region: UInt64) {
        if contains(region) { return }
        let index = Int(region / Self.regionsPerPage)
        if pages[index] == nil {
            let page = UnsafeMutablePointer<UInt64>.allocate(capacity: Self.wordsPerPage)
            page.initialize(repeating: 0, count: Self.wordsPerPage)
            pages[index] = page
        }
        let bit = region % Self.regionsPerPage
        pages[index]![Int(bit / 64)] |= 1 << (bit % 64)
        count += 1
    }

    mutating func remove(_ region: UInt64) {
        if !contains(region) { return }
        let bit = region % Self.regionsPerPage
        pages[Int(region / Self.regionsPerPage)]![Int(bit / 64)] &= ~(1 << (bit % 64))
        count -= 1
    }

    mutating func removeAll() {
        for index in 0..<pageCount {
            pages[index]?.deallocate()
            pages[index] = nil
        }
        count = 0
    }

    /// The first member at or after `start`.
    func next(from start: UInt64) -> UInt64? {
        var index = Int(start / Self.regionsPerPage)
        var bit = start % Self.regionsPerPage
        while index < pageCount {
            if let page = pages[index] {
                var word = Int(bit / 64)
                var mask = ~UInt64(0) << (bit % 64)
                while word < Self.wordsPerPage {
                    let value = page[word] & mask
                    if value != 0 {
                        return UInt64(index) * Self.regionsPerPage + UInt64(word * 64)
                            + UInt64(value.trailingZeroBitCount)
                    }
                    word += 1
                    mask = ~0
                }
            }
            index += 1
            bit = 0
        }
        return nil
    }
}
