import Ring

/// What a completion is dispatched on. The tag's index and generation are the table row's.
enum OperationKind: UInt8 {
    /// The index is the listener's place among `Listeners`.
    case accept
    case connect, receive, send, closeSocket
    /// On a replica's files. The index is the replica's number << 16 | slot or staging number.
    case replicaData, replicaSync, regionPage, checksumPage, checksumSync, stateSlot
    /// A region whose checksums are unknown. The index is the replica's number << 16.
    case checksumFill
    case diskReadable, closeDisk
}

extension OperationTag {
    @inline(__always)
    init(_ kind: OperationKind, _ index: Int, generation: UInt32 = 0) {
        self.init(kind: kind.rawValue, index: UInt32(index), generation: generation)
    }
}
