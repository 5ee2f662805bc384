import Units

/// The part of a volume that a simulated client touches: the first blocks of a few regions. Small,
/// so that requests meet; the rest of every region stays zeros.
enum Shape {
    static let regions = 6
    static let blocksPerRegion = 3
    static let sectorsPerBlock = Int(Geometry.blockBytes / Geometry.sectorBytes)
    static let sectorsPerRegion = blocksPerRegion * sectorsPerBlock
    static let sectors = regions * sectorsPerRegion
    static let volumeBytes = UInt64(regions) * Geometry.regionBytes

    /// The simulated sectors that lie within a range of the volume, as indices.
    static func sectors(in range: ByteRange) -> [Int] {
        var found: [Int] = []
        for region in Int(range.firstRegion)...Int(range.lastRegion) {
            let base = UInt64(region) * Geometry.regionBytes
            let end = base + UInt64(sectorsPerRegion) * Geometry.sectorBytes
            let low = max(base, range.offset)
            let high = min(end, range.end)
            if low >= high { continue }
            let first = Int((low - base) / Geometry.sectorBytes)
            let last = Int((high - base) / Geometry.sectorBytes)
            for sector in first..<last { found.append(region * sectorsPerRegion + sector) }
        }
        return found
    }
}

/// The number of the write that a sector holds; 0 is zeros.
typealias SectorValue = UInt32

/// The content of a request's sectors, in the order of `Shape.sectors(in:)`.
typealias SimulatedData = [SectorValue]
