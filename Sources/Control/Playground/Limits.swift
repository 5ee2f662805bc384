/// Bounds of a playground.
public enum Limits {
    /// Nodes of one playground: each is a process, and people look at them in one listing.
    public static let nodesMax = 16
    /// The port that is NBD's (IANA), on each node's own address.
    static let nbdPort: UInt16 = 10809
    /// How long a node may take to become normal, on a slow machine.
    static let startSeconds = 60
    /// How long a killed process may take to be gone: it may hang in the kernel until its
    /// device is taken away.
    static let endSeconds = 10
    /// Networks 127.77.x.0 that are tried before giving up.
    static let networksMax = 200
}
