import Units

/// Replies of the transmission phase, written into memory that the caller owns. Nothing here
/// allocates.
///
/// With structured replies every reply is one: a read is one data chunk that ends the reply (it
/// is only sent when all of its data is there), an error carries a text for people. Without
/// them a reply is 16 bytes, and a read's data follows.
public enum NBDReply {
    static let simpleMagic: UInt32 = 0x6744_6698
    static let structuredMagic: UInt32 = 0x668E_33EF
    public static let simpleBytes = 16
    static let chunkHeaderBytes = 20
    /// A chunk's header and the offset that precedes a read's data.
    public static let dataHeaderBytes = chunkHeaderBytes + 8
    static let errorFieldsBytes = 6
    /// Room for any reply that `encode…` writes.
    public static let bytesMax =
        chunkHeaderBytes + errorFieldsBytes + NBDLimits.messageBytesMax + 8

    /// The last chunk of a reply (NBD_REPLY_FLAG_DONE).
    static let doneFlag: UInt16 = 1

    enum ChunkType {
        static let none: UInt16 = 0
        static let offsetData: UInt16 = 1
        static let error: UInt16 = 1 << 15 | 1
        static let errorOffset: UInt16 = 1 << 15 | 2
    }

    /// The bytes before a read's data, which follows at once and whole. Returns their number.
    public static func encodeReadHeader(
        _ request: NBDRequest, structuredReplies: Bool, into buffer: UnsafeMutableRawPointer
    ) -> Int {
        guard structuredReplies else {
            return unsafe encodeSimple(request.cookie, nil, into: buffer)
        }
        unsafe encodeChunk(
            type: ChunkType.offsetData, cookie: request.cookie,
            payloadBytes: 8 + request.lengthBytes, into: buffer)
        unsafe buffer.storeBigEndian(request.offsetBytes, at: chunkHeaderBytes)
        return dataHeaderBytes
    }

    /// The whole reply to a request other than a read that was carried out. Returns its size.
    public static func encodeSuccess(
        cookie: UInt64, structuredReplies: Bool, into buffer: UnsafeMutableRawPointer
    ) -> Int {
        guard structuredReplies else { return unsafe encodeSimple(cookie, nil, into: buffer) }
        unsafe encodeChunk(type: ChunkType.none, cookie: cookie, payloadBytes: 0, into: buffer)
        return chunkHeaderBytes
    }

    /// The whole reply to a request that failed. Returns its size, at most `bytesMax`.
    ///
    /// - Parameters:
    ///   - message: for a person to read, cut at `NBDLimits.messageBytesMax`; a simple reply has
    ///     no room for it.
    ///   - offsetBytes: where inside the request's range it failed, if that is known.
    public static func encodeError(
        cookie: UInt64, _ error: NBDError, message: StaticString, offsetBytes: UInt64? = nil,
        structuredReplies: Bool, into buffer: UnsafeMutableRawPointer
    ) -> Int {
        guard structuredReplies else { return unsafe encodeSimple(cookie, error, into: buffer) }
        let messageBytes = min(message.utf8CodeUnitCount, NBDLimits.messageBytesMax)
        let payloadBytes = errorFieldsBytes + messageBytes + (offsetBytes == nil ? 0 : 8)
        unsafe encodeChunk(
            type: offsetBytes == nil ? ChunkType.error : ChunkType.errorOffset, cookie: cookie,
            payloadBytes: UInt32(payloadBytes), into: buffer)
        let payload = unsafe buffer + chunkHeaderBytes
        unsafe payload.storeBigEndian(error.rawValue, at: 0)
        unsafe payload.storeBigEndian(UInt16(messageBytes), at: 4)
        unsafe (payload + errorFieldsBytes).copyMemory(
            from: message.utf8Start, byteCount: messageBytes)
        if let offsetBytes {
            unsafe payload.storeBigEndian(offsetBytes, at: errorFieldsBytes + messageBytes)
        }
        return chunkHeaderBytes + payloadBytes
    }

    /// The whole reply to a request that `NBDRequest.parse` refused. Returns its size.
    public static func encodeRefusal(
        _ refusal: NBDRefusal, structuredReplies: Bool, into buffer: UnsafeMutableRawPointer
    ) -> Int {
        unsafe encodeError(
            cookie: refusal.cookie, refusal.cause.error, message: refusal.cause.message,
            structuredReplies: structuredReplies, into: buffer)
    }

    private static func encodeSimple(
        _ cookie: UInt64, _ error: NBDError?, into buffer: UnsafeMutableRawPointer
    ) -> Int {
        unsafe buffer.storeBigEndian(simpleMagic, at: 0)
        unsafe buffer.storeBigEndian(error?.rawValue ?? 0, at: 4)
        unsafe buffer.storeBigEndian(cookie, at: 8)
        return simpleBytes
    }

    private static func encodeChunk(
        type: UInt16, cookie: UInt64, payloadBytes: UInt32, into buffer: UnsafeMutableRawPointer
    ) {
        unsafe buffer.storeBigEndian(structuredMagic, at: 0)
        unsafe buffer.storeBigEndian(doneFlag, at: 4)
        unsafe buffer.storeBigEndian(type, at: 6)
        unsafe buffer.storeBigEndian(cookie, at: 8)
        unsafe buffer.storeBigEndian(payloadBytes, at: 16)
    }
}
