import CChecksum
import Units

/// The durable state of a replica, as one slot of its `state` file holds it.
///
///       0 magic "cio-repl"      8 format version u32    12 feature bits u32    16 sequence u64
///      24 cluster              40 drive                 56 volume              72 replica
///      88 volume's bytes u64   96 promised epoch u64   104 promised to (owner's instance)
///     120 boot at the promise 136 checkpoint: epoch u64, generation u64
///     152 boot in which it was whole                   168 checksummed: epoch u64, generation u64
///     184 zeros               4092 CRC32C u32 of bytes 0..<4092
public struct StateSlot: Equatable, Sendable {
    /// Grows by one with every write; its lowest bit says which slot.
    public var sequence: UInt64
    public var cluster: ClusterID
    public var drive: DriveID
    public var volume: VolumeID
    public var replica: ReplicaID
    public var sizeBytes: UInt64
    public var promised: Epoch
    public var promisedTo: InstanceID
    public var promisedBoot: BootID
    public var checkpoint: Stamp
    public var wholeBoot: BootID
    /// The sidecar's checksums of regions with a stamp up to this one are durable and true. It is
    /// the checkpoint, or an older one where the drive had no room for checksums.
    public var checksummed: Stamp

    public static let byteCount = 4096
    static let magic: UInt64 = 0x6C70_6572_2D6F_6963
    static let checksumOffset = 4092

    public init(
        sequence: UInt64, cluster: ClusterID, drive: DriveID, volume: VolumeID, replica: ReplicaID,
        sizeBytes: UInt64, promised: Epoch = 0, promisedTo: InstanceID = .zero,
        promisedBoot: BootID = .zero, checkpoint: Stamp = .zero, wholeBoot: BootID = .zero,
        checksummed: Stamp = .zero
    ) {
        self.sequence = sequence
        self.cluster = cluster
        self.drive = drive
        self.volume = volume
        self.replica = replica
        self.sizeBytes = sizeBytes
        self.promised = promised
        self.promisedTo = promisedTo
        self.promisedBoot = promisedBoot
        self.checkpoint = checkpoint
        self.wholeBoot = wholeBoot
        self.checksummed = checksummed
    }

    /// Where in the state file this slot belongs.
    public var fileOffset: UInt64 { (sequence & 1) * UInt64(Self.byteCount) }

    /// Writes `byteCount` bytes.
    public func encode(to bytes: UnsafeMutableRawPointer) {
        bytes.initializeMemory(as: UInt8.self, repeating: 0, count: Self.byteCount)
        bytes.storeLittleEndian(Self.magic, at: 0)
        bytes.storeLittleEndian(DriveFormat.version, at: 8)
        bytes.storeLittleEndian(DriveFormat.knownFeatures, at: 12)
        bytes.storeLittleEndian(sequence, at: 16)
        bytes.storeIdentifier(cluster, at: 24)
        bytes.storeIdentifier(drive, at: 40)
        bytes.storeIdentifier(volume, at: 56)
        bytes.storeIdentifier(replica, at: 72)
        bytes.storeLittleEndian(sizeBytes, at: 88)
        bytes.storeLittleEndian(promised, at: 96)
        bytes.storeIdentifier(promisedTo, at: 104)
        bytes.storeIdentifier(promisedBoot, at: 120)
        bytes.storeStamp(checkpoint, at: 136)
        bytes.storeIdentifier(wholeBoot, at: 152)
        bytes.storeStamp(checksummed, at: 168)
        bytes.storeLittleEndian(cio_crc32c(0, bytes, Self.checksumOffset), at: Self.checksumOffset)
    }

    /// The slot at `bytes`; nil where it is not whole: torn by a crash, or rotten.
    /// - Throws: for a slot that is whole and of another version.
    static func decode(_ bytes: UnsafeRawPointer) throws(FormatFault) -> StateSlot? {
        let stored = bytes.loadLittleEndian(checksumOffset, as: UInt32.self)
        guard bytes.loadLittleEndian(0, as: UInt64.self) == magic,
            stored == cio_crc32c(0, bytes, checksumOffset)
        else { return nil }
        try DriveFormat.check(
            version: bytes.loadLittleEndian(8, as: UInt32.self),
            features: bytes.loadLittleEndian(12, as: UInt32.self))
        return StateSlot(
            sequence: bytes.loadLittleEndian(16, as: UInt64.self),
            cluster: bytes.loadIdentifier(24), drive: bytes.loadIdentifier(40),
            volume: bytes.loadIdentifier(56), replica: bytes.loadIdentifier(72),
            sizeBytes: bytes.loadLittleEndian(88, as: UInt64.self),
            promised: bytes.loadLittleEndian(96, as: UInt64.self),
            promisedTo: bytes.loadIdentifier(104), promisedBoot: bytes.loadIdentifier(120),
            checkpoint: bytes.loadStamp(136), wholeBoot: bytes.loadIdentifier(152),
            checksummed: bytes.loadStamp(168))
    }
}

/// The `state` file of a replica: two slots, written in turn, so that a crash in the middle of a
/// write leaves the other. The newest whole slot counts.
public enum StateFile {
    public static let byteCount = 2 * StateSlot.byteCount

    /// - Parameter bytes: the whole file.
    public static func newest(_ bytes: UnsafeRawPointer) throws(FormatFault) -> StateSlot {
        let first = try StateSlot.decode(bytes)
        let second = try StateSlot.decode(bytes + StateSlot.byteCount)
        var newest: StateSlot?
        if let first, first.fileOffset == 0 { newest = first }
        if let second, second.fileOffset != 0, second.sequence > newest?.sequence ?? 0 {
            newest = second
        }
        if let newest { return newest }
        let isForeign = [0, StateSlot.byteCount].allSatisfy {
            bytes.loadLittleEndian($0, as: UInt64.self) != StateSlot.magic
        }
        throw isForeign ? .foreign : .damagedState
    }
}

extension UnsafeRawPointer {
    func loadStamp(_ offset: Int) -> Stamp {
        Stamp(
            loadLittleEndian(offset, as: UInt64.self), loadLittleEndian(offset + 8, as: UInt64.self)
        )
    }
}

extension UnsafeMutableRawPointer {
    func storeStamp(_ stamp: Stamp, at offset: Int) {
        storeLittleEndian(stamp.epoch, at: offset)
        storeLittleEndian(stamp.generation, at: offset + 8)
    }
}
