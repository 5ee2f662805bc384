import DriveFormat
import Glibc
import Replication
import Units

/// What a replica's directory has to hold for it to be opened.
public struct ReplicaExpectation: Sendable, Hashable {
    public var cluster: ClusterID
    public var volume: VolumeID
    public var replica: ReplicaID
    public var sizeBytes: UInt64

    public init(cluster: ClusterID, volume: VolumeID, replica: ReplicaID, sizeBytes: UInt64) {
        self.cluster = cluster
        self.volume = volume
        self.replica = replica
        self.sizeBytes = sizeBytes
    }
}

/// A replica that has been opened: everything that a `ReplicaMachine` and the loop need of it.
@frozen public struct OpenReplica: ~Copyable {
    public var files: ReplicaFiles
    public var state: ReplicaState
    public var map: RegionMap
    public var checksums: ChecksumTable
}

extension ReplicaFiles {
    /// Opens the replica in `<drive>/replicas/<volume>`. Blocks for as long as its metadata takes
    /// to read: nothing for what was never written.
    ///
    /// What a killed process had written may not have been durable when it died: state, map and
    /// checksums are synced first, so that whatever is read here counts as durable.
    /// - Throws: `inUse` while an earlier process has it, or requests of it are still under way.
    public static func open(
        _ directory: String, expecting wanted: ReplicaExpectation
    ) throws(DriveError) -> OpenReplica {
        let data = try File.direct(directory + "/" + dataName)
        try data.lock()
        let state = try File.direct(directory + "/" + stateName)
        try state.sync()
        var slot = try newestSlot(state)
        try check(slot, against: wanted, state.path)
        let checksums = try File.direct(directory + "/" + checksumsName)
        let regions = try File.direct(directory + "/" + regionsName)
        if slot.sizeBytes < wanted.sizeBytes {
            try grow(
                data: data, checksums: checksums, regions: regions, state: state, slot: &slot,
                to: wanted.sizeBytes)
        }
        try data.requireSize(slot.sizeBytes)
        try checksums.requireSize(ChecksumPage.fileBytes(volumeBytes: slot.sizeBytes))
        try checksums.sync()
        try regions.sync()
        let map = try loadMap(regions, slot)
        var table = ChecksumTable(
            sizeBytes: slot.sizeBytes, map: map, checksummed: slot.checksummed)
        try noteStoredPages(checksums, &table)
        let files = ReplicaFiles(
            data: data, checksums: checksums, regions: regions, state: state, slot: slot)
        return OpenReplica(
            files: files, state: ReplicaState(slot), map: map, checksums: table)
    }

    private static func check(
        _ slot: StateSlot, against wanted: ReplicaExpectation, _ path: String
    ) throws(DriveError) {
        if slot.cluster != wanted.cluster { throw .otherCluster(path: path, found: slot.cluster) }
        if slot.volume != wanted.volume { throw .otherVolume(path: path, found: slot.volume) }
        if slot.replica != wanted.replica { throw .otherReplica(path: path, found: slot.replica) }
        // A smaller one is made larger: volumes grow, also while a copy is away.
        if slot.sizeBytes > wanted.sizeBytes {
            throw .wrongSize(path: path, found: slot.sizeBytes, expected: wanted.sizeBytes)
        }
        // Every checkpoint and every mark came in an epoch that was promised durably before.
        if slot.checkpoint.epoch > slot.promised || slot.checksummed > slot.checkpoint {
            throw .contradiction(
                path: path, reason: "checkpoint \(slot.checkpoint) and epoch \(slot.promised)")
        }
    }

    static func newestSlot(_ file: borrowing File) throws(DriveError) -> StateSlot {
        try file.requireSize(UInt64(StateFile.byteCount))
        let memory = AlignedMemory(count: StateFile.byteCount)
        try file.read(memory.count, at: 0, into: memory.bytes)
        do {
            return try StateFile.newest(memory.bytes)
        } catch {
            throw .refused(path: file.path, error)
        }
    }

    // MARK: Region map

    private static func loadMap(
        _ file: borrowing File, _ slot: StateSlot
    ) throws(DriveError) -> RegionMap {
        let regionCount = Geometry.regionCount(slot.sizeBytes)
        let size = RegionPage.fileBytes(regionCount: regionCount)
        try file.requireSize(size)
        var map = RegionMap(regionCount: regionCount)
        let memory = AlignedMemory(count: DriveLimits.loadBytes)
        var offset: UInt64 = 0
        while let piece = try file.data(from: offset) {
            // Filesystems with smaller blocks may name any multiple of 512.
            offset = piece.lowerBound & ~UInt64(RegionPage.byteCount - 1)
            while offset < min(piece.upperBound, size) {
                let count = Int(min(UInt64(memory.count), size - offset))
                try file.read(count, at: offset, into: memory.bytes)
                try load(memory.bytes, count, at: offset, into: &map, file.path, slot)
                offset += UInt64(count)
            }
        }
        return map
    }

    private static func load(
        _ bytes: UnsafeRawPointer, _ count: Int, at offset: UInt64, into map: inout RegionMap,
        _ path: String, _ slot: StateSlot
    ) throws(DriveError) {
        try withUnsafeTemporaryAllocation(of: Stamp.self, capacity: RegionPage.stampsPerPage) {
            (stamps) throws(DriveError) in
            for place in 0..<count / RegionPage.byteCount {
                let page = Int(offset) / RegionPage.byteCount + place
                do throws(FormatFault) {
                    try RegionPage.decode(
                        bytes + place * RegionPage.byteCount, index: page,
                        into: stamps.baseAddress!)
                } catch {
                    throw .refused(path: path, error)
                }
                try load(stamps, ofPage: page, into: &map, path, slot)
            }
        }
    }

    private static func load(
        _ stamps: UnsafeMutableBufferPointer<Stamp>, ofPage page: Int, into map: inout RegionMap,
        _ path: String, _ slot: StateSlot
    ) throws(DriveError) {
        let first = UInt64(page) * UInt64(RegionPage.stampsPerPage)
        for (place, stamp) in stamps.enumerated() where stamp != .zero {
            let region = first + UInt64(place)
            guard region < map.regionCount else {
                throw .refused(path: path, .damagedRegion(region))
            }
            guard stamp.epoch <= slot.promised else {
                throw .contradiction(
                    path: path,
                    reason: "a write of epoch \(stamp.epoch), and the state says \(slot.promised)")
            }
            map.load(region, stamp)
        }
    }

    // MARK: Checksums

    private static func noteStoredPages(
        _ file: borrowing File, _ table: inout ChecksumTable
    ) throws(DriveError) {
        var offset: UInt64 = 0
        while let piece = try file.data(from: offset) {
            let first = piece.lowerBound / UInt64(ChecksumPage.byteCount)
            let end =
                (piece.upperBound + UInt64(ChecksumPage.byteCount) - 1)
                / UInt64(ChecksumPage.byteCount)
            for page in first..<end { table.noteStored(page: Int(page)) }
            offset = piece.upperBound
        }
    }
}

extension ReplicaState {
    init(_ slot: StateSlot) {
        self.init(
            promised: slot.promised, promisedTo: slot.promisedTo, promisedBoot: slot.promisedBoot,
            checkpoint: slot.checkpoint, wholeBoot: slot.wholeBoot)
    }
}
