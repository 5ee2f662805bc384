import Testing

@testable import NBDProtocol

@Suite struct NBDHandshakeFaultTests {
    @Test(arguments: [UInt32(4), 0x8000_0000, .max])
    func unknownClientFlagsClose(flags: UInt32) {
        #expect(HandshakeClient(flags: flags).events == [.close(.unknownClientFlags(flags))])
    }

    @Test func wrongMagicCloses() {
        var client = HandshakeClient()
        client.send(bigEndian(UInt64(0x4948_4156_454f_5055)))
        #expect(client.events == [.close(.badOptionMagic(0x4948_4156_454f_5055))])
    }

    @Test func plainNewstyleMayOnlyNameItsExport() {
        var client = HandshakeClient(flags: 0)
        client.send(option: 3)
        #expect(client.events == [.close(.optionWithoutFixedNewstyle(3))])
    }

    @Test(arguments: [UInt32(0), 4, 11, 12, 4711, .max])
    func unknownOptionsAreUnsupported(option: UInt32) {
        var client = HandshakeClient()
        client.send(option: option, [1, 2, 3])
        client.send(option: 2)
        #expect(client.replies.map(\.type) == [0x8000_0001, 1])
        #expect(client.replies[0].option == option)
    }

    @Test(arguments: [[UInt8](), [1]])
    func startTLSIsUnsupported(data: [UInt8]) {
        var client = HandshakeClient()
        client.send(option: 5, data)
        #expect(client.replies.map(\.type) == [0x8000_0001])
        #expect(client.replies[0].text == "TLS is not offered")
    }

    @Test(arguments: [UInt32(3), 8])
    func bareOptionsTakeNoData(option: UInt32) {
        var client = HandshakeClient()
        client.listings = []
        client.send(option: option, [0])
        #expect(client.replies.map(\.type) == [0x8000_0003])
        client.send(option: 7, goData("x"))
        #expect(client.events.last == .openExport(name: "x"))
    }

    static let malformedGo: [[UInt8]] = [
        [], [0, 0, 0], bigEndian(UInt32(1)), string("abc"), string("abc") + [0],
        string("abc") + [0, 1], string("abc") + [0, 0, 9], string("abc") + [0, 1, 0, 3, 0],
        bigEndian(UInt32.max) + [0, 0, 0, 0], string("a\0b") + [0, 0],
        bigEndian(UInt32(2)) + [0xc3, 0x28, 0, 0],
    ]

    @Test(arguments: [UInt32(6), 7], malformedGo)
    func malformedInfoAndGoAreInvalid(option: UInt32, data: [UInt8]) {
        var client = HandshakeClient()
        client.send(option: option, data)
        client.send(option: 2)
        #expect(client.replies.map(\.type) == [0x8000_0003, 1])
        #expect(client.replies[0].option == option)
    }

    static let malformedContexts: [[UInt8]] = [
        [], [0, 0, 0, 9], string("x"), string("x") + [0, 0, 0, 1],
        contextData("x", ["base:allocation"]).dropLast(1), contextData("x", []) + [0],
        string("x") + bigEndian(UInt32.max), string("x") + bigEndian(UInt32(2)) + string("base:"),
        string("x\0") + bigEndian(UInt32(0)),
    ]

    @Test(arguments: [UInt32(9), 10], malformedContexts)
    func malformedContextQueriesAreInvalid(option: UInt32, data: [UInt8]) {
        var client = HandshakeClient()
        client.send(option: 8)
        client.send(option: option, data)
        #expect(client.replies.map(\.type) == [1, 0x8000_0003])
    }

    @Test(arguments: [UInt32(9), 10], [[], ["base:allocation"], ["base:", "qemu:", "x-y:z"]])
    func noContextIsAvailable(option: UInt32, queries: [String]) {
        var client = HandshakeClient()
        client.send(option: 8)
        client.send(option: option, contextData("portainer", queries))
        #expect(client.replies.map(\.type) == [1, 1])
    }

    @Test(arguments: [UInt32(9), 10])
    func contextsNeedStructuredReplies(option: UInt32) {
        var client = HandshakeClient()
        client.send(option: option, contextData("portainer", ["base:allocation"]))
        #expect(client.replies.map(\.type) == [0x8000_0003])
    }

    @Test func namesEndAt4096Bytes() {
        let longest = String(repeating: "n", count: 4096)
        var client = HandshakeClient()
        client.send(option: 6, goData(longest + "n"))
        client.send(option: 7, goData(longest))
        #expect(client.replies.map(\.type) == [0x8000_0009])
        #expect(client.events.last == .openExport(name: longest))
        var old = HandshakeClient()
        old.send(option: 1, Array((longest + "n").utf8))
        #expect(old.events == [.close(.exportRefused("a string is longer than 4096 bytes"))])
    }

    @Test func badNameInExportNameCloses() {
        var client = HandshakeClient()
        client.send(option: 1, [0xff])
        #expect(client.events == [.close(.exportRefused("a string is not UTF-8 without NUL"))])
    }

    @Test func longOptionsAreSkippedAndRefused() {
        var client = HandshakeClient()
        client.send(optionBytes(7, [UInt8](repeating: 1, count: 32 << 10 | 1)), piece: 1000)
        client.send(option: 2)
        #expect(client.replies.map(\.type) == [0x8000_0009, 1])
    }

    @Test func hugeOptionsClose() {
        var client = HandshakeClient()
        client.send(Array("IHAVEOPT".utf8) + bigEndian(UInt32(3)) + bigEndian(UInt32.max))
        #expect(client.events == [.close(.oversizedOption(.max))])
        var old = HandshakeClient()
        old.send(Array("IHAVEOPT".utf8) + bigEndian(UInt32(1)) + bigEndian(UInt32(40_000)))
        #expect(old.events == [.close(.oversizedOption(40_000))])
    }

    @Test func anImpatientFloodCloses() {
        var client = HandshakeClient()
        client.send(option: 7, goData("portainer"))
        client.send([UInt8](repeating: 0, count: 128 << 10), piece: 4096)
        #expect(client.events.last == .openExport(name: "portainer"))
        client.send([0])
        #expect(client.events.last == .close(.flooded))
    }

    @Test func optionsEndSomewhere() {
        var client = HandshakeClient()
        for _ in 0..<NBDLimits.optionsMax { client.send(option: 99) }
        #expect(client.replies.count == NBDLimits.optionsMax)
        client.send(option: 99)
        #expect(client.events.last == .close(.tooManyOptions))
    }

    @Test func answersWithoutQuestionsTrap() async {
        await #expect(processExitsWith: .failure) {
            var handshake = NBDHandshake()
            handshake.list([])
        }
        await #expect(processExitsWith: .failure) {
            var handshake = NBDHandshake()
            handshake.accept(NBDExport(name: "", description: "", sizeBytes: 0))
        }
        await #expect(processExitsWith: .failure) {
            var handshake = NBDHandshake()
            handshake.refuse(.unknown, message: "")
        }
        await #expect(processExitsWith: .failure) {
            var handshake = NBDHandshake()
            _ = handshake.takeRemainder()
        }
    }
}
