import DriveFormat
import Units

extension ReplicaFiles {
    /// Makes the files as large as the volume is now. What is new is holes: zeros, never written.
    ///
    /// The state is last, so that a crash leaves a replica of the old size whose files are longer
    /// than it needs, which the next opening goes on from.
    /// - Parameter slot: the newest one; in the end the one that names the new size.
    static func grow(
        data: borrowing File, checksums: borrowing File, regions: borrowing File,
        state: borrowing File, slot: inout StateSlot, to sizeBytes: UInt64
    ) throws(DriveError) {
        try data.extend(to: sizeBytes)
        try checksums.extend(to: ChecksumPage.fileBytes(volumeBytes: sizeBytes))
        try regions.extend(
            to: RegionPage.fileBytes(regionCount: Geometry.regionCount(sizeBytes)))
        var next = slot
        next.sequence += 1
        next.sizeBytes = sizeBytes
        let memory = AlignedMemory(count: StateSlot.byteCount)
        next.encode(to: memory.bytes)
        try state.write(memory.count, at: next.fileOffset, from: memory.bytes)
        try state.sync()
        slot = next
    }
}

extension File {
    /// Durably. A file that is longer already is an error: nothing is ever cut off.
    fileprivate func extend(to bytes: UInt64) throws(DriveError) {
        let found = try size()
        guard found <= bytes else {
            throw .wrongSize(path: path, found: found, expected: bytes)
        }
        try truncate(to: bytes)
        try sync()
    }
}
