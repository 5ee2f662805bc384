/// The server's bytes in the handshake.
enum NBDOptionReply {
    static let replyMagic: UInt64 = 0x0003_E889_0455_65A9

    enum ReplyType {
        static let acknowledge: UInt32 = 1
        static let server: UInt32 = 2
        static let info: UInt32 = 3
    }

    static func acknowledge(_ option: UInt32) -> [UInt8] {
        reply(option, ReplyType.acknowledge, [])
    }

    static func error(_ option: UInt32, _ error: OptionError, _ message: String) -> [UInt8] {
        reply(option, error.rawValue, cut(message))
    }

    /// One entry for each export, then the acknowledgement.
    static func list(_ option: UInt32, _ listings: [NBDListing]) -> [UInt8] {
        var bytes: [UInt8] = []
        for listing in listings {
            let name = cut(listing.name)
            var entry: [UInt8] = []
            entry.appendBigEndian(UInt32(name.count))
            entry += name
            entry += cut(listing.description)
            bytes += reply(option, ReplyType.server, entry)
        }
        return bytes + acknowledge(option)
    }

    /// The answer to NBD_OPT_INFO and NBD_OPT_GO. Block sizes go to every client: the smallest
    /// request is not the specification's default.
    static func information(
        _ option: UInt32, _ session: NBDSession, _ wants: InfoRequests
    ) -> [UInt8] {
        var bytes = info(option, InfoType.export) {
            $0.appendBigEndian(session.export.sizeBytes)
            $0.appendBigEndian(
                TransmissionFlags.offered(structuredReplies: session.structuredReplies))
        }
        if wants.contains(.name) {
            bytes += info(option, InfoType.name) { $0 += cut(session.export.name) }
        }
        if wants.contains(.description), !session.export.description.isEmpty {
            bytes += info(option, InfoType.description) { $0 += cut(session.export.description) }
        }
        bytes += info(option, InfoType.blockSize) {
            $0.appendBigEndian(NBDLimits.blockBytesMin)
            $0.appendBigEndian(NBDLimits.blockBytesPreferred)
            $0.appendBigEndian(NBDLimits.payloadBytesMax)
        }
        return bytes + acknowledge(option)
    }

    /// The answer to NBD_OPT_EXPORT_NAME, which is not framed as the others are.
    static func exportName(_ session: NBDSession, zeroes: Bool) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.appendBigEndian(session.export.sizeBytes)
        bytes.appendBigEndian(
            TransmissionFlags.offered(structuredReplies: session.structuredReplies))
        return zeroes ? bytes + [UInt8](repeating: 0, count: 124) : bytes
    }

    private static func info(
        _ option: UInt32, _ type: UInt16, _ fill: (inout [UInt8]) -> Void
    ) -> [UInt8] {
        var payload: [UInt8] = []
        payload.appendBigEndian(type)
        fill(&payload)
        return reply(option, ReplyType.info, payload)
    }

    private static func reply(_ option: UInt32, _ type: UInt32, _ payload: [UInt8]) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(20 + payload.count)
        bytes.appendBigEndian(replyMagic)
        bytes.appendBigEndian(option)
        bytes.appendBigEndian(type)
        bytes.appendBigEndian(UInt32(payload.count))
        return bytes + payload
    }

    /// At most the bytes that a string may have, without half a character at the end.
    private static func cut(_ text: String) -> [UInt8] {
        var bytes = Array(text.utf8.prefix(NBDLimits.stringBytesMax))
        while String(validating: bytes, as: UTF8.self) == nil { bytes.removeLast() }
        return bytes
    }
}
