import Units

/// The server's side of NBD's fixed newstyle handshake: bytes in, events out.
///
/// ```
///            greeting sent            NBD_OPT_… (most are answered here)
///                 │                       ┌──────┐
///                 ▼        flags          ▼      │       LIST INFO GO EXPORT_NAME
///         .awaitingClientFlags ───▶ .awaitingOption ─────────────▶ .asking ──┐
///                 │                  │  ▲    │  ▲                    │       │ accepted
///                 │                  ▼  │    │  └── listed, refused ─┘       ▼
///                 │             .skipping    │       accepted(INFO)     .transmission
///                 └─────────────▶ .closed ◀──┘
/// ```
///
/// The caller sends `greeting`, gives everything received to `receive`, and takes events with
/// `next` until there is none. A question (`openExport`, `describeExport`, `listExports`) holds
/// everything back until it is answered. After `entered`, `takeRemainder` has the bytes that
/// already belong to the transmission phase; there are none from a client that waits its turn.
public struct NBDHandshake: Sendable {
    /// What the server sends first: both magics and its flags (fixed newstyle, no zeroes).
    public static let greeting: [UInt8] = Array("NBDMAGICIHAVEOPT".utf8) + [0, 3]

    public enum Event: Sendable, Equatable {
        case send([UInt8])
        /// Get the volume ready for this client, then `accept` or `refuse`. The empty name is
        /// the default export.
        case openExport(name: String)
        /// Tell about the volume without opening it: `accept` or `refuse`.
        case describeExport(name: String)
        /// Name the volumes: `list`.
        case listExports
        /// Everything sent before this is the end of the handshake.
        case entered(NBDSession)
        /// Send what came before, then close.
        case close(CloseReason)
    }

    public enum CloseReason: Sendable, Equatable {
        case aborted
        case unknownClientFlags(UInt32)
        case badOptionMagic(UInt64)
        /// A client of the plain newstyle may only name its export.
        case optionWithoutFixedNewstyle(UInt32)
        case oversizedOption(UInt32)
        case tooManyOptions
        /// More bytes than a client has reason to send before it is answered.
        case flooded
        /// NBD_OPT_EXPORT_NAME has no error reply.
        case exportRefused(String)
    }

    private enum Question: Equatable {
        case list
        case info(InfoRequests)
        case go(InfoRequests)
        case exportName
    }

    private enum State: Equatable {
        case awaitingClientFlags
        case awaitingOption
        /// Throwing away the data of an option that is too long.
        case skipping(option: UInt32, left: Int)
        case asking(Question)
        case transmission
        case closed
    }

    private enum ClientFlags {
        static let fixedNewstyle: UInt32 = 1 << 0
        static let noZeroes: UInt32 = 1 << 1
        static let known = fixedNewstyle | noZeroes
    }

    static let optionMagic: UInt64 = 0x4948_4156_454F_5054
    static let optionHeaderBytes = 16

    private var state = State.awaitingClientFlags
    private var received: [UInt8] = []
    /// How much of `received` has been read; what lies before is dropped now and then.
    private var position = 0
    private var events: [Event] = []
    private var clientFlags: UInt32 = 0
    private var structuredReplies = false
    private var optionCount = 0

    public init() {}

    /// Takes bytes as they came from the socket, cut anywhere.
    public mutating func receive(_ bytes: UnsafeRawBufferPointer) {
        guard state != .closed else { return }
        unsafe received.append(contentsOf: bytes)
        advance()
        received.removeFirst(position)
        position = 0
        if received.count > NBDLimits.handshakeBufferBytesMax, state != .transmission {
            close(.flooded)
        }
    }

    /// The next thing to do, in order; nil when more bytes or an answer are needed.
    public mutating func next() -> Event? {
        events.isEmpty ? nil : events.removeFirst()
    }

    /// The bytes received after the handshake's end, once.
    public mutating func takeRemainder() -> [UInt8] {
        require(state == .transmission, "the handshake has not ended: \(state)")
        defer { received = [] }
        return Array(received[position...])
    }

    /// Answers `listExports`.
    public mutating func list(_ listings: [NBDListing]) {
        require(state == .asking(.list), "nobody asked for the list: \(state)")
        answer(NBDOptionReply.list(NBDOption.Number.list, listings))
    }

    /// Answers `openExport` and `describeExport`.
    public mutating func accept(_ export: NBDExport) {
        let session = NBDSession(export: export, structuredReplies: structuredReplies)
        switch state {
        case .asking(.info(let wants)):
            answer(NBDOptionReply.information(NBDOption.Number.info, session, wants))
        case .asking(.go(let wants)):
            enter(session, NBDOptionReply.information(NBDOption.Number.go, session, wants))
        case .asking(.exportName):
            let zeroes = clientFlags & ClientFlags.noZeroes == 0
            enter(session, NBDOptionReply.exportName(session, zeroes: zeroes))
        default: require(false, "nobody asked for an export: \(state)")
        }
    }

    /// Answers `openExport` and `describeExport`; the client sees `message`.
    public mutating func refuse(_ refusal: NBDExportRefusal, message: String) {
        let error = OptionError(refusal)
        switch state {
        case .asking(.info): answer(NBDOptionReply.error(NBDOption.Number.info, error, message))
        case .asking(.go): answer(NBDOptionReply.error(NBDOption.Number.go, error, message))
        case .asking(.exportName): close(.exportRefused(message))
        default: require(false, "nobody asked for an export: \(state)")
        }
    }
}

// What follows reads `received` from `position` on.
extension NBDHandshake {
    private mutating func advance() {
        var moved = true
        while moved {
            switch state {
            case .awaitingClientFlags: moved = readClientFlags()
            case .awaitingOption: moved = readOption()
            case .skipping(let option, let left): moved = skip(option, left)
            case .asking, .transmission, .closed: moved = false
            }
        }
    }

    private mutating func readClientFlags() -> Bool {
        var reader = FieldReader(received[position...])
        guard let flags = reader.number(UInt32.self) else { return false }
        position += 4
        guard flags & ~ClientFlags.known == 0 else { return close(.unknownClientFlags(flags)) }
        clientFlags = flags
        state = .awaitingOption
        return true
    }

    private mutating func readOption() -> Bool {
        var reader = FieldReader(received[position...])
        guard let magic = reader.number(UInt64.self) else { return false }
        guard magic == Self.optionMagic else { return close(.badOptionMagic(magic)) }
        guard let option = reader.number(UInt32.self), let length = reader.number(UInt32.self)
        else { return false }
        if clientFlags & ClientFlags.fixedNewstyle == 0, option != NBDOption.Number.exportName {
            return close(.optionWithoutFixedNewstyle(option))
        }
        guard length <= NBDLimits.optionDataBytesMax else { return tooLong(option, length) }
        guard let data = reader.bytes(Int(length)) else { return false }
        position += Self.optionHeaderBytes + data.count
        guard count() else { return false }
        handle(NBDOption(number: option, data: data), option)
        return true
    }

    private mutating func tooLong(_ option: UInt32, _ length: UInt32) -> Bool {
        guard length <= NBDLimits.skippedOptionBytesMax, option != NBDOption.Number.exportName
        else { return close(.oversizedOption(length)) }
        position += Self.optionHeaderBytes
        guard count() else { return false }
        state = .skipping(option: option, left: Int(length))
        return true
    }

    /// False when there were too many options.
    private mutating func count() -> Bool {
        optionCount += 1
        return optionCount <= NBDLimits.optionsMax || close(.tooManyOptions)
    }

    private mutating func skip(_ option: UInt32, _ left: Int) -> Bool {
        let skipped = min(left, received.count - position)
        position += skipped
        guard skipped == left else {
            state = .skipping(option: option, left: left - skipped)
            return false
        }
        state = .awaitingOption
        send(NBDOptionReply.error(option, .tooBig, "the option is longer than 32 KiB"))
        return true
    }

    private mutating func handle(_ option: NBDOption, _ number: UInt32) {
        switch option {
        case .exportName(let name): ask(.exportName, .openExport(name: name))
        case .info(let name, let wants): ask(.info(wants), .describeExport(name: name))
        case .go(let name, let wants): ask(.go(wants), .openExport(name: name))
        case .list: ask(.list, .listExports)
        case .structuredReply:
            structuredReplies = true
            send(NBDOptionReply.acknowledge(number))
        case .abort:
            send(NBDOptionReply.acknowledge(number))
            close(.aborted)
        case .setMetaContext where !structuredReplies, .listMetaContext where !structuredReplies:
            let message = "metadata contexts need structured replies"
            send(NBDOptionReply.error(number, .invalid, message))
        // No context exists: an empty list and an empty selection are the whole answer.
        case .setMetaContext, .listMetaContext: send(NBDOptionReply.acknowledge(number))
        case .refused(_, let message) where number == NBDOption.Number.exportName:
            close(.exportRefused(message))
        case .refused(let error, let message):
            send(NBDOptionReply.error(number, error, message))
        }
    }

    private mutating func ask(_ question: Question, _ event: Event) {
        state = .asking(question)
        events.append(event)
    }

    private mutating func send(_ bytes: [UInt8]) { events.append(.send(bytes)) }

    /// Goes on with the next option after a question.
    private mutating func answer(_ bytes: [UInt8]) {
        send(bytes)
        state = .awaitingOption
        advance()
    }

    private mutating func enter(_ session: NBDSession, _ bytes: [UInt8]) {
        send(bytes)
        events.append(.entered(session))
        state = .transmission
    }

    @discardableResult
    private mutating func close(_ reason: CloseReason) -> Bool {
        state = .closed
        received = []
        position = 0
        events.append(.close(reason))
        return false
    }
}
