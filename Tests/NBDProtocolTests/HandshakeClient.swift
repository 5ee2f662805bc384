@testable import NBDProtocol

/// Plays a client against the handshake, and the engine that answers its questions.
struct HandshakeClient {
    var handshake = NBDHandshake()
    var events: [NBDHandshake.Event] = []
    /// What the engine says about an export: nil leaves the question open.
    var answer: (@Sendable (String) -> Answer)?
    var listings: [NBDListing]?

    enum Answer {
        case accept(NBDExport)
        case refuse(NBDExportRefusal, String)
    }

    static let fixed: UInt32 = 1
    static let noZeroes: UInt32 = 2

    init(flags: UInt32? = fixed | noZeroes) {
        if let flags { send(bigEndian(flags)) }
    }

    /// Sends bytes in pieces of `piece` and takes what comes back.
    mutating func send(_ bytes: [UInt8], piece: Int = .max) {
        var rest = bytes[...]
        while !rest.isEmpty {
            Array(rest.prefix(piece)).withUnsafeBytes { handshake.receive($0) }
            rest = rest.dropFirst(min(piece, rest.count))
            takeEvents()
        }
    }

    mutating func send(option: UInt32, _ data: [UInt8] = []) {
        send(optionBytes(option, data))
    }

    private mutating func takeEvents() {
        while let event = handshake.next() {
            events.append(event)
            switch event {
            case .openExport(let name), .describeExport(let name):
                switch answer?(name) {
                case .accept(let export): handshake.accept(export)
                case .refuse(let refusal, let message):
                    handshake.refuse(refusal, message: message)
                case nil: break
                }
            case .listExports:
                if let listings { handshake.list(listings) }
            default: break
            }
        }
    }

    /// All bytes sent by the server, joined.
    var sent: [UInt8] {
        events.flatMap { event -> [UInt8] in
            if case .send(let bytes) = event { bytes } else { [] }
        }
    }

    /// The server's bytes, read as option replies.
    var replies: [Reply] {
        var reader = FieldReader(sent[...])
        var replies: [Reply] = []
        while let magic = reader.number(UInt64.self), let option = reader.number(UInt32.self),
            let type = reader.number(UInt32.self), let length = reader.number(UInt32.self),
            let payload = reader.bytes(Int(length))
        {
            precondition(magic == 0x3e889045565a9)
            replies.append(Reply(option: option, type: type, payload: Array(payload)))
        }
        return replies
    }

    struct Reply: Equatable {
        var option: UInt32
        var type: UInt32
        var payload: [UInt8]

        var isError: Bool { type & 1 << 31 != 0 }
        var text: String { String(decoding: payload, as: UTF8.self) }
    }
}

func bigEndian<Number: FixedWidthInteger>(_ number: Number) -> [UInt8] {
    var bytes: [UInt8] = []
    bytes.appendBigEndian(number)
    return bytes
}

func optionBytes(_ option: UInt32, _ data: [UInt8] = []) -> [UInt8] {
    Array("IHAVEOPT".utf8) + bigEndian(option) + bigEndian(UInt32(data.count)) + data
}

/// The data of NBD_OPT_INFO and NBD_OPT_GO.
func goData(_ name: String, wants: [UInt16] = []) -> [UInt8] {
    string(name) + bigEndian(UInt16(wants.count)) + wants.flatMap { bigEndian($0) }
}

/// The data of the metadata context options.
func contextData(_ name: String, _ queries: [String]) -> [UInt8] {
    string(name) + bigEndian(UInt32(queries.count)) + queries.flatMap { string($0) }
}

func string(_ text: String) -> [UInt8] { bigEndian(UInt32(text.utf8.count)) + Array(text.utf8) }

let portainer = NBDExport(name: "portainer", description: "2 copies", sizeBytes: 20 << 30)
