import Testing

@testable import NBDProtocol

@Suite struct NBDHandshakeTests {
    @Test func greetsWithBothMagicsAndBothFlags() {
        #expect(
            NBDHandshake.greeting == [
                0x4e, 0x42, 0x44, 0x4d, 0x41, 0x47, 0x49, 0x43, 0x49, 0x48, 0x41, 0x56, 0x45,
                0x4f, 0x50, 0x54, 0x00, 0x03,
            ])
    }

    @Test func goLeadsIntoTransmission() {
        var client = HandshakeClient()
        client.answer = { _ in .accept(portainer) }
        client.send(option: 8)
        client.send(option: 7, goData("portainer", wants: [1, 2, 3, 77]))
        let session = NBDSession(export: portainer, structuredReplies: true)
        #expect(client.events.last == .entered(session))
        #expect(client.events.contains(.openExport(name: "portainer")))
        let flags: [UInt8] = [0x01, 0xed]  // has flags, flush, FUA, trim, zeroes, DF, multi
        let blockSizes = [UInt32(512), 4096, 32 << 20].flatMap { bigEndian($0) }
        #expect(
            client.replies == [
                .init(option: 8, type: 1, payload: []),
                .init(option: 7, type: 3, payload: [0, 0] + bigEndian(UInt64(20 << 30)) + flags),
                .init(option: 7, type: 3, payload: [0, 1] + Array("portainer".utf8)),
                .init(option: 7, type: 3, payload: [0, 2] + Array("2 copies".utf8)),
                .init(option: 7, type: 3, payload: [0, 3] + blockSizes),
                .init(option: 7, type: 1, payload: []),
            ])
    }

    @Test(arguments: [1, 2, 3, 5, 7, 16, 17])
    func piecesOfAnySizeMeanTheSame(piece: Int) {
        let bytes =
            bigEndian(UInt32(3)) + optionBytes(3) + optionBytes(5)
            + optionBytes(8) + optionBytes(99, [UInt8](repeating: 7, count: 40_000))
            + optionBytes(6, goData("a", wants: [3])) + optionBytes(7, goData("portainer"))
        func play(_ piece: Int) -> HandshakeClient {
            var client = HandshakeClient(flags: nil)
            client.answer = { $0 == "a" ? .refuse(.unknown, "no volume a") : .accept(portainer) }
            client.listings = [NBDListing(name: "portainer", description: "")]
            client.send(bytes, piece: piece)
            return client
        }
        let whole = play(.max)
        let session = NBDSession(export: portainer, structuredReplies: true)
        #expect(whole.events.last == .entered(session))
        #expect(play(piece).events == whole.events)
    }

    @Test func infoDescribesWithoutOpening() {
        var client = HandshakeClient()
        client.answer = { _ in .accept(portainer) }
        client.send(option: 6, goData("portainer"))
        #expect(client.events.contains(.describeExport(name: "portainer")))
        #expect(!client.events.contains(.openExport(name: "portainer")))
        #expect(client.replies.map(\.type) == [3, 3, 1])
        // No structured replies: "do not fragment" is not offered.
        #expect(client.replies[0].payload.suffix(2) == [0x01, 0x6d])
        client.send(option: 2)
        #expect(client.events.last == .close(.aborted))
    }

    @Test func infoAndGoAgree() {
        var client = HandshakeClient()
        client.answer = { _ in .accept(portainer) }
        client.send(option: 6, goData("portainer", wants: [3]))
        client.send(option: 7, goData("portainer", wants: [3]))
        let replies = client.replies
        #expect(replies.prefix(3).map(\.payload) == replies.suffix(3).map(\.payload))
    }

    @Test func exportNameAnswersWithoutZeroesWhenBothAgreed() {
        var client = HandshakeClient()
        client.answer = { _ in .accept(portainer) }
        client.send(option: 1, Array("portainer".utf8))
        #expect(client.sent == bigEndian(UInt64(20 << 30)) + [0x01, 0x6d])
        #expect(
            client.events.last
                == .entered(NBDSession(export: portainer, structuredReplies: false)))
    }

    @Test(arguments: [UInt32(0), 1])
    func exportNameAnswersWith124ZeroesOtherwise(flags: UInt32) {
        var client = HandshakeClient(flags: flags)
        client.answer = { _ in .accept(portainer) }
        client.send(option: 1, [])
        #expect(client.events.contains(.openExport(name: "")))
        #expect(client.sent.count == 8 + 2 + 124)
        #expect(client.sent.suffix(124).allSatisfy { $0 == 0 })
    }

    @Test func exportNameRefusedCloses() {
        var client = HandshakeClient()
        client.answer = { _ in .refuse(.policy, "open at v3") }
        client.send(option: 1, Array("portainer".utf8))
        #expect(client.events.last == .close(.exportRefused("open at v3")))
        #expect(client.sent.isEmpty)
    }

    @Test(arguments: [
        (NBDExportRefusal.unknown, UInt32(0x8000_0006)), (.policy, 0x8000_0002),
        (.shuttingDown, 0x8000_0007),
    ])
    func refusedGoGoesOn(refusal: NBDExportRefusal, type: UInt32) {
        var client = HandshakeClient()
        client.answer = { $0 == "gone" ? .refuse(refusal, "why") : .accept(portainer) }
        client.send(option: 7, goData("gone"))
        client.send(option: 6, goData("gone"))
        #expect(
            client.replies == [
                .init(option: 7, type: type, payload: Array("why".utf8)),
                .init(option: 6, type: type, payload: Array("why".utf8)),
            ])
        client.send(option: 7, goData("portainer"))
        #expect(
            client.events.last
                == .entered(NBDSession(export: portainer, structuredReplies: false)))
    }

    @Test func listNamesEveryVolume() {
        var client = HandshakeClient()
        client.listings = [
            NBDListing(name: "portainer", description: "2 copies"),
            NBDListing(name: "é", description: ""),
        ]
        client.send(option: 3)
        #expect(
            client.replies == [
                .init(option: 3, type: 2, payload: string("portainer") + Array("2 copies".utf8)),
                .init(option: 3, type: 2, payload: string("é")),
                .init(option: 3, type: 1, payload: []),
            ])
    }

    @Test func anEmptyListIsAnAnswer() {
        var client = HandshakeClient()
        client.listings = []
        client.send(option: 3)
        #expect(client.replies == [.init(option: 3, type: 1, payload: [])])
    }

    @Test func overlongTextsAreCutBetweenCharacters() {
        var client = HandshakeClient()
        let name = String(repeating: "é", count: 3000)
        client.listings = [NBDListing(name: "x" + name, description: "")]
        client.send(option: 3)
        #expect(client.replies[0].payload.count == 4 + 4095)
        #expect(String(validating: client.replies[0].payload.dropFirst(4), as: UTF8.self) != nil)
    }

    @Test func abortIsAcknowledgedAndItsDataIgnored() {
        var client = HandshakeClient()
        client.send(option: 2, [1, 2, 3])
        #expect(client.replies == [.init(option: 2, type: 1, payload: [])])
        #expect(client.events.last == .close(.aborted))
        client.send(option: 3)
        #expect(client.events.last == .close(.aborted))
    }

    @Test func aQuestionHoldsBackWhatFollows() {
        var client = HandshakeClient()
        client.send(optionBytes(7, goData("portainer")) + optionBytes(8) + optionBytes(99))
        #expect(client.events == [.openExport(name: "portainer")])
        client.handshake.refuse(.unknown, message: "")
        client.send(optionBytes(2))
        #expect(client.replies.map(\.option) == [7, 8, 99, 2])
    }

    @Test func bytesAfterTheEndBelongToTransmission() {
        var client = HandshakeClient()
        client.answer = { _ in .accept(portainer) }
        client.send(optionBytes(7, goData("portainer")) + [1, 2, 3])
        client.send([4])
        #expect(client.handshake.takeRemainder() == [1, 2, 3, 4])
        #expect(client.handshake.takeRemainder() == [])
    }
}
