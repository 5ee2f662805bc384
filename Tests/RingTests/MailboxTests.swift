import Testing

@testable import Ring

@Suite struct MailboxTests {
    @Test func aFullMailboxPushesBack() throws {
        let mailbox = Mailbox<Int>(capacity: 3, waker: try Waker())
        #expect((1...4).map { mailbox.send($0) } == [true, true, true, false])
        var messages: [Int] = []
        mailbox.receive(into: &messages)
        #expect(messages == [1, 2, 3])
        messages.removeAll(keepingCapacity: true)
        #expect(mailbox.send(5))
        mailbox.receive(into: &messages)
        #expect(messages == [5])
    }

    @Test func theReceiverIsWokenOnceForManyMessages() throws {
        let waker = try Waker()
        let mailbox = Mailbox<Int>(capacity: 8, waker: waker)
        for i in 0..<5 { #expect(mailbox.send(i)) }
        waker.wait()
        var messages: [Int] = []
        mailbox.receive(into: &messages)
        #expect(messages == [0, 1, 2, 3, 4])
    }

    @Test func aClosedMailboxGivesOutWhatItHasAndTakesNoMore() throws {
        let waker = try Waker()
        let mailbox = Mailbox<Int>(capacity: 8, waker: waker)
        #expect(mailbox.send(1))
        mailbox.close()
        #expect(mailbox.isClosed)
        #expect(!mailbox.send(2))
        waker.wait()
        var messages: [Int] = []
        mailbox.receive(into: &messages)
        #expect(messages == [1])
    }

    @Test func receivingIntoUnreadMessagesTraps() async {
        await #expect(processExitsWith: .failure) {
            let mailbox = Mailbox<Int>(capacity: 1, waker: try Waker())
            var messages = [1]
            mailbox.receive(into: &messages)
        }
    }
}
