import Units
import WireFormat

/// The stamp of the last write into each region of a replica.
///
/// Pages of 256 stamps stand for 256 MiB of volume and one 4 KiB block of the `regions` file;
/// a page exists once something in it was written, so memory follows what was written. Each page
/// knows which changes of it are durable: data may be written only after its mark is (rule 10).
public struct RegionMap: ~Copyable {
    public static let stampsPerPage = 256

    struct Page {
        let stamps: UnsafeMutablePointer<Stamp>
        /// The number of the last change of the page, and of the last one known to be durable.
        var changed: UInt64 = 0
        var durable: UInt64 = 0
        /// While a write of the page is under way: the changes it covers.
        var writing: UInt64 = 0

        var isClean: Bool { durable >= changed }
    }

    public let regionCount: UInt64
    private let pageCount: Int
    private let pages: UnsafeMutablePointer<Page?>
    /// Numbers every change of every page.
    private(set) var lastChange: UInt64 = 0

    public init(regionCount: UInt64) {
        self.regionCount = regionCount
        pageCount = Int((regionCount + UInt64(Self.stampsPerPage) - 1) / UInt64(Self.stampsPerPage))
        pages = .allocate(capacity: pageCount)
        pages.initialize(repeating: nil, count: pageCount)
    }

    deinit {
        for index in 0..<pageCount { pages[index]?.stamps.deallocate() }
        pages.deallocate()
    }

    @inline(__always)
    static func page(of region: UInt64) -> Int { Int(region / UInt64(stampsPerPage)) }

    public subscript(region: UInt64) -> Stamp {
        guard let page = pages[Self.page(of: region)] else { return .zero }
        return page.stamps[Int(region % UInt64(Self.stampsPerPage))]
    }

    /// The stamps of a page as they are now; nil for a page that was never written.
    public func stamps(ofPage index: Int) -> UnsafePointer<Stamp>? {
        pages[index].map { UnsafePointer($0.stamps) }
    }

    /// What was read from the drive when the replica was opened: durable by definition.
    public mutating func load(_ region: UInt64, _ stamp: Stamp) {
        require(region < regionCount, "region \(region) of \(regionCount) loaded")
        let index = Self.page(of: region)
        makePage(index)
        pages[index]!.stamps[Int(region % UInt64(Self.stampsPerPage))] = stamp
    }

    /// Raises a region's stamp; false where it already is as high.
    mutating func raise(_ region: UInt64, to stamp: Stamp) -> Bool {
        require(region < regionCount, "region \(region) of \(regionCount) marked")
        if self[region] >= stamp { return false }
        let index = Self.page(of: region)
        makePage(index)
        lastChange += 1
        pages[index]!.stamps[Int(region % UInt64(Self.stampsPerPage))] = stamp
        pages[index]!.changed = lastChange
        return true
    }

    private mutating func makePage(_ index: Int) {
        guard pages[index] == nil else { return }
        let stamps = UnsafeMutablePointer<Stamp>.allocate(capacity: Self.stampsPerPage)
        stamps.initialize(repeating: .zero, count: Self.stampsPerPage)
        pages[index] = Page(stamps: stamps)
    }

    // MARK: Durability

    /// Whether every change of these pages up to number `change` is durable.
    func isDurable(pages range: ClosedRange<Int>, upTo change: UInt64) -> Bool {
        for index in range {
            guard let page = pages[index] else { continue }
            if !page.isClean && page.durable < change { return false }
        }
        return true
    }

    /// Whether the page has to be written and no write of it is under way; then one is, from now.
    mutating func beginWriting(page index: Int) -> Bool {
        guard let page = pages[index], !page.isClean, page.writing == 0 else { return false }
        pages[index]!.writing = lastChange
        return true
    }

    mutating func finishedWriting(page index: Int) {
        require(pages[index]?.writing ?? 0 != 0, "page \(index) was not being written")
        pages[index]!.durable = pages[index]!.writing
        pages[index]!.writing = 0
    }

    // MARK: Listing

    /// Fills `entries` with the regions from `start` on whose stamp is above `floor`.
    /// - Returns: how many, and the region to go on from (`ReplicaReply.listEnd` at the end).
    public func list(
        above floor: Stamp, from start: UInt64, into entries: UnsafeMutableBufferPointer<RegionEntry>
    ) -> (count: Int, next: UInt64) {
        var count = 0
        var region = start
        while region < regionCount {
            guard let page = pages[Self.page(of: region)] else {
                region = UInt64(Self.page(of: region) + 1) * UInt64(Self.stampsPerPage)
                continue
            }
            let stamp = page.stamps[Int(region % UInt64(Self.stampsPerPage))]
            if stamp > floor {
                if count == entries.count { return (count, region) }
                entries[count] = RegionEntry(region: region, stamp: stamp)
                count += 1
            }
            region += 1
        }
        return (count, ReplicaReply.listEnd)
    }
}
