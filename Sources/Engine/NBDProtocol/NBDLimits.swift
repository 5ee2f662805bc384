/// The limits of the NBD server.
///
/// NBD's specification is doc/proto.md of github.com/NetworkBlockDevice/nbd; every file of this
/// module follows its words and numbers.
public enum NBDLimits {
    /// The longest string the specification allows: names, descriptions, queries, messages.
    public static let stringBytesMax = 4096
    /// The longest option data that is looked at: a name of 4,096 bytes with as much again for
    /// information requests and metadata queries fits several times over.
    public static let optionDataBytesMax = 32 << 10
    /// Option data above `optionDataBytesMax` is skipped and refused up to here; a client that
    /// announces more is cut off.
    public static let skippedOptionBytesMax = 1 << 20
    /// What may lie unread in a handshake: the longest option and room for one socket read more.
    /// A client waits for its answer before it goes on, so an honest one never comes near.
    public static let handshakeBufferBytesMax = 128 << 10
    /// Options in one handshake: a client that asks about each of thousands of volumes passes.
    public static let optionsMax = 16_384

    /// The smallest request and its alignment.
    public static let blockBytesMin: UInt32 = 512
    /// Requests of this size and alignment need no read before the write.
    public static let blockBytesPreferred: UInt32 = 4096
    /// The longest read or write, and the portable maximum of the specification.
    public static let payloadBytesMax: UInt32 = 32 << 20
    /// A longer write than `payloadBytesMax` is skipped and refused up to here; above it the
    /// connection is closed, as the specification allows for what looks like an attack.
    public static let skippedPayloadBytesMax: UInt32 = 64 << 20
    /// The longest text in an error reply of the transmission phase.
    public static let messageBytesMax = 128
}
