/// The bounds of the drive store, with their arithmetic.
public enum DriveLimits {
    /// Pages of checksums that a replica keeps in memory, unless more of them are dirty: 16,384 of
    /// 4 KiB are 64 MiB, for 64 GiB of data.
    public static let checksumPagesMax = 16_384
    /// The `regions` file gets its space at creation up to this size, so that a full drive never
    /// keeps a write from being marked: 16 MiB are enough for 1 TiB. The blocks of a larger volume
    /// beyond it are allocated when first written.
    public static let regionsPreallocatedMax: UInt64 = 16 << 20
    /// Read at a time while the region map is loaded.
    static let loadBytes = 1 << 20
}
