import Units

/// The bounds of scheduling, with their arithmetic.
public enum SchedulingLimits {
    /// Copies of one volume that people may ask for.
    public static let copiesMax = 3
    /// Replicas in one volume's record: as many as an owner deals with at a time, three copies and
    /// as many again that are stale, being rebuilt or about to be given back.
    public static let replicasMax = 8

    /// What stays free on a drive when a copy is placed, so that deletes and metadata always work:
    /// a twentieth of the drive, and 4 GB are enough on any.
    static func reserve(of total: ByteCount) -> UInt64 { min(total.bytes / 20, 4 << 30) }
}
