import Units

/// The bounds of one volume's replication, with their arithmetic.
public enum ReplicationLimits {
    /// Replicas that one owner deals with at a time: three copies, and as many again that are
    /// stale, being rebuilt or about to be given back. A bit of a `PeerMask` each.
    public static let peersMax = 8
    /// Requests of clients under way in one volume: the 256 that FUSE keeps in the background.
    public static let clientOperationsMax = 256
    /// Copies of regions under way in one volume: 1 MiB of buffer each.
    public static let copiesMax = 4
    /// Repairs of damaged blocks under way in one volume. What is left out is found at the next
    /// read.
    public static let repairsMax = 2
    /// Clients' operations, copies, repairs, and the flushes of a closing generation and of a rebuild.
    public static let operationsMax = clientOperationsMax + copiesMax + repairsMax + 4
    /// Operations that a replica accepts: those of one owner, twice, since an old connection's
    /// may still be under way when a new one has begun.
    public static let replicaOperationsMax = 2 * operationsMax + 64
    /// Owners that may be connected to one replica at a time.
    public static let linksMax = 8
    /// A discard or a write of zeros locks at most this much at a time, so that one of 64 TB is
    /// done piece by piece: 1 GiB is 1,024 regions, five blocks of the region map.
    public static let discardBytesMax: UInt64 = 1 << 30
    /// A read or a write lies within one region.
    public static let dataBytesMax: UInt64 = Geometry.regionBytes
}
