import Glibc
import Synchronization
import Testing
import Units

@testable import Ring

@Suite struct RingTurnsTests {
    @Test(arguments: EnginePlan.tested)
    func anotherThreadWakesTheRing(_ plan: EnginePlan) throws {
        let waker = try Waker()
        var ring = try Ring(plan, waker: waker)
        for _ in 0..<100 {
            let thread = try EngineThread(name: "test-waker") { waker.wake() }
            let completion = try ring.completion()
            #expect(completion.isWake)
            thread.join()
        }
        #expect(ring.operationsInFlight == 0)
    }

    @Test(arguments: EnginePlan.tested)
    func wakeUpsBeforeTheLookAreOne(_ plan: EnginePlan) throws {
        let waker = try Waker()
        var ring = try Ring(plan, waker: waker)
        for _ in 0..<10 { waker.wake() }
        #expect(try ring.completion().isWake)
        ring.submitAndWait(until: .zero)
        #expect(ring.nextCompletion() == nil)
        waker.wake()
        #expect(try ring.completion().isWake)
    }

    @Test(arguments: EnginePlan.tested)
    func theWaitEndsAtItsDeadline(_ plan: EnginePlan) throws {
        var ring = try Ring(plan, waker: Waker())
        // A later deadline first: an earlier one must still be kept, and one in the past.
        for wait in [Span.milliseconds(20), .milliseconds(2), .milliseconds(10), .milliseconds(0)] {
            let deadline = BootClock.now() + wait
            while BootClock.now() < deadline {
                ring.submitAndWait(until: deadline)
                #expect(ring.nextCompletion() == nil)
            }
            #expect(BootClock.now() >= deadline)
        }
        ring.submitAndWait(until: Instant(nanoseconds: 1))
        ring.submitAndWait(until: .zero)
        #expect(ring.nextCompletion() == nil)
    }

    /// On a thread of its own: the end of an earlier io_uring of the thread interrupts waits.
    @Test(arguments: EnginePlan.tested)
    func anEarlierDeadlineReplacesALaterOne(_ plan: EnginePlan) throws {
        let waker = try Waker()
        let wasKept = Mutex(false)
        let loop = try EngineThread(name: "test-loop") {
            guard var ring = try? Ring(plan, waker: waker) else { return }
            let late = BootClock.now() + .seconds(10)
            waker.wake()
            while ring.nextCompletion() == nil { ring.submitAndWait(until: late) }
            let early = BootClock.now() + .milliseconds(1)
            while BootClock.now() < early { ring.submitAndWait(until: early) }
            wasKept.withLock { $0 = BootClock.now() < late }
        }
        loop.join()
        #expect(wasKept.withLock { $0 })
    }

    @Test(arguments: EnginePlan.tested)
    func completionsEndAnEndlessWait(_ plan: EnginePlan) throws {
        var ring = try Ring(plan, waker: Waker())
        let (a, b) = try socketPair()
        let memory = Memory(64)
        let peer = try EngineThread(name: "test-peer") { _ = Glibc.send(a, "hello", 5, 0) }
        ring.receive(b, into: memory.bytes, length: 64, tag: tag(1))
        var arrived: Completion?
        while arrived == nil {
            ring.submitAndWait(until: .distantFuture)
            arrived = ring.nextCompletion()
        }
        #expect(arrived?.result == 5)
        peer.join()
        close(a)
        close(b)
    }

    /// Completions that nobody has taken yet keep a turn from waiting, and none is lost.
    @Test(arguments: EnginePlan.tested)
    func completionsWaitUntilTheyAreTaken(_ plan: EnginePlan) throws {
        var ring = try Ring(plan, waker: Waker())
        let file = try ScratchFile(bytes: 1 << 20)
        let memory = Memory(4096)
        let count = Int(RingLimits.completionEntries) + 1000
        for i in 0..<count {
            ring.read(file.descriptor, into: memory.bytes, length: 4096, at: 0, tag: tag(UInt32(i)))
            if i % 700 == 0 { ring.submitAndWait(until: .zero) }
        }
        #expect(try ring.results(count).count == count)
    }

    @Test(arguments: EnginePlan.tested)
    func commandsArriveThroughAMailbox(_ plan: EnginePlan) throws {
        let waker = try Waker()
        let mailbox = Mailbox<Int>(capacity: 16, waker: waker)
        var ring = try Ring(plan, waker: waker)
        let senders = try (0..<4).map { sender in
            try EngineThread(name: "test-sender-\(sender)") {
                for i in 0..<1000 { while !mailbox.send(sender * 1000 + i) { sched_yield() } }
            }
        }
        var received: [Int] = []
        var batch: [Int] = []
        while received.count < 4000 {
            #expect(try ring.completion().isWake)
            mailbox.receive(into: &batch)
            received += batch
            batch.removeAll(keepingCapacity: true)
        }
        for sender in senders { sender.join() }
        #expect(received.sorted() == Array(0..<4000))
        for sender in 0..<4 {
            let own = received.filter { $0 / 1000 == sender }
            #expect(own == own.sorted(), "order of sender \(sender)")
        }
    }
}

extension Completion: Equatable {
    public static func == (a: Completion, b: Completion) -> Bool {
        a.tag == b.tag && a.result == b.result && a.more == b.more
    }
}
