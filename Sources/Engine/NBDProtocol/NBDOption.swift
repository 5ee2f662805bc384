/// An option of the handshake, read from the data that the client sent with it.
enum NBDOption: Equatable {
    case exportName(String)
    case abort
    case list
    case info(name: String, wants: InfoRequests)
    case go(name: String, wants: InfoRequests)
    case structuredReply
    case listMetaContext
    case setMetaContext
    /// Answered with an error; the handshake goes on.
    case refused(OptionError, String)

    enum Number {
        static let exportName: UInt32 = 1
        static let abort: UInt32 = 2
        static let list: UInt32 = 3
        static let startTLS: UInt32 = 5
        static let info: UInt32 = 6
        static let go: UInt32 = 7
        static let structuredReply: UInt32 = 8
        static let listMetaContext: UInt32 = 9
        static let setMetaContext: UInt32 = 10
    }

    init(number: UInt32, data: ArraySlice<UInt8>) {
        switch number {
        case Number.exportName: self = Self.exportName(data)
        case Number.abort: self = .abort
        case Number.list: self = Self.bare(.list, data)
        case Number.structuredReply: self = Self.bare(.structuredReply, data)
        case Number.info: self = Self.information(data) { .info(name: $0, wants: $1) }
        case Number.go: self = Self.information(data) { .go(name: $0, wants: $1) }
        case Number.listMetaContext: self = Self.metaContext(data, .listMetaContext)
        case Number.setMetaContext: self = Self.metaContext(data, .setMetaContext)
        case Number.startTLS: self = .refused(.unsupported, "TLS is not offered")
        default: self = .refused(.unsupported, "unknown option \(number)")
        }
    }

    private static func exportName(_ data: ArraySlice<UInt8>) -> NBDOption {
        switch text(data) {
        case .success(let name): .exportName(name)
        case .failure(let fault): .refused(fault.error, fault.message)
        }
    }

    /// An option that carries no data.
    private static func bare(_ option: NBDOption, _ data: ArraySlice<UInt8>) -> NBDOption {
        data.isEmpty ? option : .refused(.invalid, "this option takes no data")
    }

    /// NBD_OPT_INFO and NBD_OPT_GO: name, then a list of the information wanted.
    private static func information(
        _ data: ArraySlice<UInt8>, _ make: (String, InfoRequests) -> NBDOption
    ) -> NBDOption {
        var reader = FieldReader(data)
        let name: String
        switch string(&reader) {
        case .success(let value): name = value
        case .failure(let fault): return .refused(fault.error, fault.message)
        }
        guard let count = reader.number(UInt16.self), reader.count == Int(count) * 2 else {
            return .refused(.invalid, "the list of information requests has another length")
        }
        var wants: InfoRequests = []
        while let number = reader.number(UInt16.self) { wants.insert(InfoRequests(number: number)) }
        return make(name, wants)
    }

    /// The two metadata options: name, then queries. They are read only to see that they are
    /// well formed, since there is no context that a query could find.
    private static func metaContext(
        _ data: ArraySlice<UInt8>, _ option: NBDOption
    ) -> NBDOption {
        var reader = FieldReader(data)
        if case .failure(let fault) = string(&reader) {
            return .refused(fault.error, fault.message)
        }
        guard let queries = reader.number(UInt32.self) else {
            return .refused(.invalid, "the number of queries is missing")
        }
        for _ in 0..<queries {
            if case .failure(let fault) = string(&reader) {
                return .refused(fault.error, fault.message)
            }
        }
        return reader.isAtEnd ? option : .refused(.invalid, "data follows the last query")
    }

    private struct Fault: Error {
        var error: OptionError
        var message: String
    }

    /// A string with its length before it.
    private static func string(_ reader: inout FieldReader) -> Result<String, Fault> {
        guard let length = reader.number(UInt32.self), let bytes = reader.bytes(Int(length)) else {
            return .failure(Fault(error: .invalid, message: "a string ends beyond the option"))
        }
        return text(bytes)
    }

    private static func text(_ bytes: ArraySlice<UInt8>) -> Result<String, Fault> {
        guard bytes.count <= NBDLimits.stringBytesMax else {
            return .failure(Fault(error: .tooBig, message: "a string is longer than 4096 bytes"))
        }
        guard !bytes.contains(0), let text = String(validating: bytes, as: UTF8.self) else {
            return .failure(Fault(error: .invalid, message: "a string is not UTF-8 without NUL"))
        }
        return .success(text)
    }
}

/// What a client wants to be told about an export besides its size.
struct InfoRequests: OptionSet {
    var rawValue: UInt8

    static let name = InfoRequests(rawValue: 1)
    static let description = InfoRequests(rawValue: 2)

    /// The set of one NBD_INFO number. Size and block sizes are always told; unknown ones are
    /// ignored, as the specification asks.
    init(number: UInt16) {
        switch number {
        case InfoType.name: self = .name
        case InfoType.description: self = .description
        default: self = []
        }
    }

    init(rawValue: UInt8) { self.rawValue = rawValue }
}

enum InfoType {
    static let export: UInt16 = 0
    static let name: UInt16 = 1
    static let description: UInt16 = 2
    static let blockSize: UInt16 = 3
}

/// The errors of the handshake (NBD_REP_ERR_…), all with bit 31 set.
enum OptionError: UInt32 {
    case unsupported = 0x8000_0001
    case policy = 0x8000_0002
    case invalid = 0x8000_0003
    case unknown = 0x8000_0006
    case shuttingDown = 0x8000_0007
    case tooBig = 0x8000_0009

    init(_ refusal: NBDExportRefusal) {
        switch refusal {
        case .unknown: self = .unknown
        case .policy: self = .policy
        case .shuttingDown: self = .shuttingDown
        }
    }
}
