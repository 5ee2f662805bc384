import Records
import Units

/// What the volumes may grow to on each drive: the sizes of the copies that lie there or should.
public struct Provisioning: Sendable {
    private var bytes: [DriveID: UInt64] = [:]

    public init() {}

    /// Counts every place once that a volume's placement or its record of replicas names: a copy
    /// that is to be given back takes its room until it is gone.
    public init(_ volumes: [VolumeView]) {
        bytes.reserveCapacity(volumes.count)
        for volume in volumes {
            for place in volume.wanted.placement { add(volume.wanted.size, on: place.drive) }
            for replica in volume.configuration.replicas
            where !volume.wanted.placement.contains(replica.place) {
                add(volume.wanted.size, on: replica.drive)
            }
        }
    }

    public subscript(drive: DriveID) -> ByteCount { ByteCount(bytes[drive] ?? 0) }

    public mutating func add(_ size: ByteCount, on drive: DriveID) {
        let (sum, overflow) = bytes[drive, default: 0].addingReportingOverflow(size.bytes)
        bytes[drive] = overflow ? .max : sum
    }

    public mutating func remove(_ size: ByteCount, on drive: DriveID) {
        let present = bytes[drive, default: 0]
        bytes[drive] = present - min(present, size.bytes)
    }
}

extension ReplicaRecord {
    var place: Place { Place(node: node, drive: drive) }
}
