import Units

/// 512 pages of the table: the checksums of 2 GiB of data, made when something in it is first used.
struct ChecksumChunk {
    static let pageCount = 512
    /// Four a page.
    static let regionCount = 2048
    /// 64-bit words of a page's detail: a bit for each of its blocks.
    static let detailWords = 16

    enum Flag: Int {
        /// The sidecar holds the page, or has a hole where the flag is not set.
        case stored
        /// Memory holds what the sidecar does not.
        case dirty
        case loading
        case writing
        /// Used since `trim` last came by.
        case used
    }

    private static let wordsPerFlag = 8
    private static let flagWords = 5 * wordsPerFlag
    private static let words = flagWords + 32

    /// Stored checksums, in the file's byte order; nil for a page that is not in memory.
    let pages: UnsafeMutablePointer<UnsafeMutablePointer<UInt32>?>
    /// For a page with regions that are known in part: a bit for each block that is unknown.
    /// Without it, a region with unknown blocks has no known ones.
    let details: UnsafeMutablePointer<UnsafeMutablePointer<UInt64>?>
    /// The flags of all pages, then a bit for each region that has unknown blocks.
    private let bits: UnsafeMutablePointer<UInt64>

    init() {
        pages = .allocate(capacity: Self.pageCount)
        pages.initialize(repeating: nil, count: Self.pageCount)
        details = .allocate(capacity: Self.pageCount)
        details.initialize(repeating: nil, count: Self.pageCount)
        bits = .allocate(capacity: Self.words)
        bits.initialize(repeating: 0, count: Self.words)
    }

    func deallocate() {
        for index in 0..<Self.pageCount {
            pages[index]?.deallocate()
            details[index]?.deallocate()
        }
        pages.deallocate()
        details.deallocate()
        bits.deallocate()
    }

    @inline(__always)
    func has(_ flag: Flag, _ page: Int) -> Bool {
        bits[flag.rawValue * Self.wordsPerFlag + page / 64] >> UInt64(page % 64) & 1 != 0
    }

    @inline(__always)
    func set(_ flag: Flag, _ page: Int, _ isSet: Bool) {
        let word = flag.rawValue * Self.wordsPerFlag + page / 64
        let bit = UInt64(1) << UInt64(page % 64)
        if isSet { bits[word] |= bit } else { bits[word] &= ~bit }
    }

    /// The first page at or after `page` with the flag; nil if there is none.
    func first(_ flag: Flag, from page: Int) -> Int? {
        Self.firstBit(bits + flag.rawValue * Self.wordsPerFlag, from: page, to: Self.pageCount)
    }

    // MARK: Regions with unknown blocks

    @inline(__always)
    func hasUnknowns(region: Int) -> Bool {
        bits[Self.flagWords + region / 64] >> UInt64(region % 64) & 1 != 0
    }

    func setUnknowns(region: Int, _ isSet: Bool) {
        let bit = UInt64(1) << UInt64(region % 64)
        if isSet {
            bits[Self.flagWords + region / 64] |= bit
        } else {
            bits[Self.flagWords + region / 64] &= ~bit
        }
    }

    /// The first region at or after `region` that has unknown blocks.
    func firstUnknown(from region: Int) -> Int? {
        Self.firstBit(bits + Self.flagWords, from: region, to: Self.regionCount)
    }

    private static func firstBit(
        _ words: UnsafeMutablePointer<UInt64>, from start: Int, to end: Int
    ) -> Int? {
        var index = start
        while index < end {
            let rest = words[index / 64] >> UInt64(index % 64)
            if rest != 0 { return index + rest.trailingZeroBitCount }
            index = (index / 64 + 1) * 64
        }
        return nil
    }
}
