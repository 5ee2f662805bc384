import DriveFormat
import Replication
import Units

/// The open files of a replica, for direct I/O, and the lock that goes with them.
///
/// The lock is taken through the description of `data` that I/O uses: it is free again when that
/// is closed *and* the last request on it has ended, whether this process still lives or not.
/// The engine does the I/O on the descriptors; this closes them when it goes, for which no
/// request may be under way any more.
public struct ReplicaFiles: ~Copyable {
    static let dataName = "data"
    static let checksumsName = "checksums"
    static let regionsName = "regions"
    static let stateName = "state"

    private let checksumsFile: File
    private let regionsFile: File
    private let stateFile: File
    private let dataFile: File
    /// As last given out to be written.
    public private(set) var slot: StateSlot

    init(
        data: consuming File, checksums: consuming File, regions: consuming File,
        state: consuming File, slot: StateSlot
    ) {
        dataFile = data
        checksumsFile = checksums
        regionsFile = regions
        stateFile = state
        self.slot = slot
    }

    public var sizeBytes: UInt64 { slot.sizeBytes }
    public var data: Int32 { dataFile.descriptor }
    /// Page `n` of the checksum table lies at `n` × 4096.
    public var checksums: Int32 { checksumsFile.descriptor }
    /// Page `n` of the region map lies at `n` × 4096.
    public var regions: Int32 { regionsFile.descriptor }
    public var state: Int32 { stateFile.descriptor }

    /// The file that a descriptor of this replica is, for a log.
    public func path(of descriptor: Int32) -> String {
        switch descriptor {
        case data: dataFile.path
        case checksums: checksumsFile.path
        case regions: regionsFile.path
        default: stateFile.path
        }
    }

    // MARK: What the engine writes

    /// The next slot of the state file: 4096 bytes to be written at the offset that is returned,
    /// and to be durable before the write counts. One such write is under way at a time.
    /// - Parameters:
    ///   - checksummed: up to where the sidecar's checksums are durable and true, if that has
    ///     changed: the new checkpoint, once every page of the table is written. Left alone, a
    ///     new checkpoint costs nothing, and the checksums of the regions in between are computed
    ///     anew after the next opening.
    ///   - bytes: 4096-aligned.
    public mutating func encodeState(
        _ state: ReplicaState, checksummed: Stamp? = nil, to bytes: UnsafeMutableRawPointer
    ) -> UInt64 {
        slot.sequence += 1
        slot.promised = state.promised
        slot.promisedTo = state.promisedTo
        slot.promisedBoot = state.promisedBoot
        slot.checkpoint = state.checkpoint
        slot.wholeBoot = state.wholeBoot
        // After a write that failed, the next one may fall back to an older checkpoint.
        slot.checksummed = min(checksummed ?? slot.checksummed, slot.checkpoint)
        slot.encode(to: bytes)
        return slot.fileOffset
    }

    /// Page `index` of the region map as it is now: 4096 bytes to be written to `regions` at the
    /// offset that is returned.
    /// - Parameter bytes: 4096-aligned.
    public func encodeRegions(
        page index: Int, of map: borrowing RegionMap, to bytes: UnsafeMutableRawPointer
    ) -> UInt64 {
        guard let stamps = map.stamps(ofPage: index) else {
            trap("page \(index) of the region map was never written")
        }
        RegionPage.encode(stamps, index: index, to: bytes)
        return UInt64(index) * UInt64(RegionPage.byteCount)
    }
}
