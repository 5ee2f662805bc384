import Glibc
import Testing
import Units

@testable import Ring

@Suite struct RingSocketsTests {
    @Test(arguments: EnginePlan.tested)
    func oneAcceptTakesManyConnections(_ plan: EnginePlan) throws {
        var ring = try Ring(plan, waker: Waker())
        let (listener, name) = try listener()
        let address = Address(name)
        ring.accept(listener, tag: tag(100))
        var accepted: [Int32] = []
        var clients: [Int32] = []
        for i in 0..<5 {
            clients.append(tcpSocket())
            ring.connect(clients[i], to: address.generic, length: address.length,
                         tag: tag(UInt32(i)))
        }
        for _ in 0..<10 {
            let completion = try ring.completion()
            if completion.tag == tag(100) {
                #expect(completion.more)
                #expect(fcntl(completion.result, F_GETFD) == FD_CLOEXEC)
                accepted.append(completion.result)
            } else {
                #expect(completion.result == 0)
                #expect(!completion.more)
            }
        }
        #expect(accepted.count == 5)
        #expect(ring.operationsInFlight == 1)
        ring.close(listener, tag: tag(101))
        #expect(try ring.results(2) == [100: -ECANCELED, 101: 0])
        for descriptor in accepted + clients { close(descriptor) }
    }

    @Test(arguments: EnginePlan.tested)
    func aRefusedConnectionIsAResult(_ plan: EnginePlan) throws {
        var ring = try Ring(plan, waker: Waker())
        let (listener, name) = try listener()
        close(listener)
        let address = Address(name)
        let client = tcpSocket()
        ring.connect(client, to: address.generic, length: address.length, tag: tag(1))
        #expect(try ring.result() == -ECONNREFUSED)
        ring.close(client, tag: tag(2))
        #expect(try ring.result() == 0)
    }

    /// Far more than the socket's buffers hold: the send completes when the last byte is gone, the
    /// whole receive when the last byte is there.
    @Test(arguments: EnginePlan.tested)
    func sendsAndWholeReceivesAreNeverPartial(_ plan: EnginePlan) throws {
        var ring = try Ring(plan, waker: Waker())
        let (a, b) = try socketPair()
        let sent = Memory(8 << 20)
        sent.fillWithPattern(5)
        let received = Memory(8 << 20)
        ring.send(a, from: sent.bytes, length: sent.count, tag: tag(1))
        ring.receive(b, into: received.bytes, length: received.count, whole: true, tag: tag(2))
        #expect(try ring.results(2) == [1: 8 << 20, 2: 8 << 20])
        #expect(received == sent)
        close(a)
        close(b)
    }

    @Test(arguments: EnginePlan.tested)
    func messagesOfManyPiecesAreSentInOrder(_ plan: EnginePlan) throws {
        var ring = try Ring(plan, waker: Waker())
        let (a, b) = try socketPair()
        let sent = Memory(3_000_000)
        sent.fillWithPattern(11)
        let received = Memory(3_000_000)
        let cuts = [0, 64, 64, 5000, 1_000_000, 2_999_999, 3_000_000]
        let pieces = UnsafeMutablePointer<iovec>.allocate(capacity: cuts.count)
        for (i, (start, end)) in zip(cuts, cuts.dropFirst()).enumerated() {
            pieces[i] = iovec(iov_base: sent.bytes + start, iov_len: end - start)
        }
        let message = UnsafeMutablePointer<msghdr>.allocate(capacity: 1)
        message.initialize(to: msghdr())
        message.pointee.msg_iov = pieces
        message.pointee.msg_iovlen = cuts.count - 1
        ring.send(a, message: message, tag: tag(1))
        ring.receive(b, into: received.bytes, length: received.count, whole: true, tag: tag(2))
        #expect(try ring.results(2) == [1: 3_000_000, 2: 3_000_000])
        #expect(received == sent)
        pieces.deallocate()
        message.deallocate()
        close(a)
        close(b)
    }

    @Test(arguments: EnginePlan.tested)
    func aPlainReceiveTakesWhatIsThere(_ plan: EnginePlan) throws {
        var ring = try Ring(plan, waker: Waker())
        let (a, b) = try socketPair()
        let memory = Memory(4096)
        ring.receive(b, into: memory.bytes, length: 4096, tag: tag(2))
        ring.submitAndWait(until: .zero)
        ring.send(a, from: memory.bytes, length: 10, tag: tag(1))
        #expect(try ring.results(2) == [1: 10, 2: 10])
        ring.receive(b, into: memory.bytes, length: 4096, tag: tag(3))
        ring.close(a, tag: tag(4))
        #expect(try ring.results(2) == [3: 0, 4: 0])
        close(b)
    }

    @Test(arguments: EnginePlan.tested)
    func aWholeReceiveIsShortAtTheEndOfTheStream(_ plan: EnginePlan) throws {
        var ring = try Ring(plan, waker: Waker())
        let (a, b) = try socketPair()
        let memory = Memory(4096)
        ring.receive(b, into: memory.bytes, length: 4096, whole: true, tag: tag(1))
        ring.send(a, from: memory.bytes, length: 100, tag: tag(2))
        #expect(try ring.result() == 100)
        #expect(ring.operationsInFlight == 1)
        ring.close(a, tag: tag(3))
        #expect(try ring.results(2) == [1: 100, 3: 0])
        close(b)
    }

    @Test(arguments: EnginePlan.tested)
    func aPeerThatWentIsAResult(_ plan: EnginePlan) throws {
        var ring = try Ring(plan, waker: Waker())
        let (a, b) = try socketPair()
        let memory = Memory(4096)
        close(b)
        ring.send(a, from: memory.bytes, length: 4096, tag: tag(1))
        #expect(try ring.result() == -EPIPE)
        close(a)

        let (listener, name) = try listener()
        let address = Address(name)
        let client = tcpSocket()
        ring.connect(client, to: address.generic, length: address.length, tag: tag(2))
        ring.accept(listener, tag: tag(3))
        let server = try #require(try ring.results(2)[3])
        ring.receive(client, into: memory.bytes, length: 4096, tag: tag(4))
        ring.submitAndWait(until: .zero)
        var reset = linger(l_onoff: 1, l_linger: 0)
        setsockopt(server, SOL_SOCKET, SO_LINGER, &reset, socklen_t(MemoryLayout<linger>.size))
        ring.close(server, tag: tag(5))
        #expect(try ring.results(2) == [4: -ECONNRESET, 5: 0])
        ring.close(client, tag: tag(6))
        ring.close(listener, tag: tag(7))
        #expect(try ring.results(3) == [3: -ECANCELED, 6: 0, 7: 0])
    }

    @Test(arguments: EnginePlan.tested)
    func inputIsAnnounced(_ plan: EnginePlan) throws {
        var ring = try Ring(plan, waker: Waker())
        let (a, b) = try socketPair()
        ring.pollInput(b, tag: tag(1))
        ring.submitAndWait(until: .zero)
        #expect(ring.nextCompletion() == nil)
        for round in 0..<3 {
            #expect(Glibc.send(a, "x", 1, 0) == 1)
            #expect(try ring.result() == POLLIN)
            // What is there already is announced at once.
            ring.pollInput(b, tag: tag(1))
            #expect(try ring.result() == POLLIN)
            var byte: UInt8 = 0
            #expect(recv(b, &byte, 1, 0) == 1)
            ring.pollInput(b, tag: tag(1))
            ring.submitAndWait(until: .zero)
            #expect(ring.nextCompletion() == nil, "round \(round)")
        }
        ring.cancel(b)
        #expect(try ring.result() == -ECANCELED)
        close(a)
        close(b)
    }

    @Test(arguments: EnginePlan.tested)
    func cancellingEndsWhatWaits(_ plan: EnginePlan) throws {
        var ring = try Ring(plan, waker: Waker())
        let (a, b) = try socketPair()
        let memory = Memory(8 << 20)
        ring.receive(a, into: memory.bytes, length: 4096, tag: tag(1))
        ring.send(a, from: memory.bytes, length: memory.count, tag: tag(2))
        ring.submitAndWait(until: .zero)
        ring.cancel(a)
        let results = try ring.results(2)
        #expect(results[1] == -ECANCELED)
        // A send that had begun tells how far it came, or that it was cancelled.
        let sent = try #require(results[2])
        #expect(sent == -ECANCELED || (1..<Int32(memory.count)).contains(sent))
        // The descriptor is still good; cancelling with nothing in flight does nothing.
        ring.cancel(a)
        ring.receive(a, into: memory.bytes, length: 4096, tag: tag(3))
        #expect(Glibc.send(b, "yes", 3, 0) == 3)
        #expect(try ring.result() == 3)
        close(a)
        close(b)
    }

    @Test(arguments: EnginePlan.tested)
    func closingEndsWhatIsInFlightAndTellsThePeer(_ plan: EnginePlan) throws {
        var ring = try Ring(plan, waker: Waker())
        let memory = Memory(8192)
        // The same descriptor numbers again and again.
        for _ in 0..<50 {
            let (a, b) = try socketPair()
            ring.receive(a, into: memory.bytes, length: 4096, tag: tag(1))
            ring.receive(b, into: memory.bytes + 4096, length: 4096, tag: tag(2))
            ring.submitAndWait(until: .zero)
            ring.close(a, tag: tag(3))
            #expect(try ring.results(3) == [1: -ECANCELED, 2: 0, 3: 0])
            ring.close(b, tag: tag(4))
            #expect(try ring.result() == 0)
        }
    }

    /// A copy keeps the socket itself open, as one in another process would.
    @Test(arguments: EnginePlan.tested)
    func aClosedDescriptorsNumberCanBeTakenByItsCopy(_ plan: EnginePlan) throws {
        var ring = try Ring(plan, waker: Waker())
        let (a, b) = try socketPair()
        let memory = Memory(4096)
        let copy = dup(b)
        for _ in 0..<3 {
            ring.receive(b, into: memory.bytes, length: 4096, tag: tag(1))
            ring.submitAndWait(until: .zero)
            ring.close(b, tag: tag(2))
            #expect(try ring.results(2) == [1: -ECANCELED, 2: 0])
            #expect(dup2(copy, b) == b)
        }
        ring.receive(b, into: memory.bytes, length: 4096, tag: tag(3))
        #expect(Glibc.send(a, "x", 1, 0) == 1)
        #expect(try ring.result() == 1)
        for descriptor in [a, b, copy] { close(descriptor) }
    }

    /// The ring ends while sockets wait: nothing hangs.
    @Test(arguments: EnginePlan.tested)
    func endingCancelsWhatWaits(_ plan: EnginePlan) throws {
        let (a, b) = try socketPair()
        let (listener, _) = try listener()
        let memory = Memory(4096)
        func waitForNothing() throws {
            var ring = try Ring(plan, waker: Waker())
            ring.receive(a, into: memory.bytes, length: 4096, tag: tag(1))
            ring.pollInput(b, tag: tag(2))
            ring.accept(listener, tag: tag(3))
            ring.submitAndWait(until: .zero)
            #expect(ring.operationsInFlight == 3)
        }
        try waitForNothing()
        for descriptor in [a, b, listener] { close(descriptor) }
    }
}
