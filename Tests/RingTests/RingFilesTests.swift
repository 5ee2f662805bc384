import Glibc
import Testing
import Units

@testable import Ring

@Suite struct RingFilesTests {
    @Test(arguments: EnginePlan.tested)
    func whatIsWrittenIsRead(_ plan: EnginePlan) throws {
        var ring = try Ring(plan, waker: Waker())
        let file = try ScratchFile(bytes: 1 << 20)
        let written = Memory(65536)
        written.fillWithPattern(7)
        for durably in [false, true] {
            ring.write(file.descriptor, from: written.bytes, length: 65536, at: 8192,
                       durably: durably, tag: tag(1))
            #expect(try ring.result() == 65536)
            let read = Memory(65536, filledWith: 1)
            ring.read(file.descriptor, into: read.bytes, length: 65536, at: 8192, tag: tag(2))
            #expect(try ring.result() == 65536)
            #expect(read == written)
        }
        #expect(ring.operationsInFlight == 0)
    }

    @Test(arguments: EnginePlan.tested)
    func registeredMemoryIsReadAndWritten(_ plan: EnginePlan) throws {
        var ring = try Ring(plan, waker: Waker())
        let file = try ScratchFile(bytes: 1 << 20)
        let memory = Memory(16384)
        let area = ring.register(.init(start: memory.bytes, count: 16384))
        if case .uring(let features) = plan, features.contains(.registeredBuffers) {
            #expect(area != .none)
        } else {
            #expect(area == .none)
        }
        memory.fillWithPattern(3)
        ring.write(file.descriptor, from: memory.bytes + 4096, length: 4096, at: 0, durably: true,
                   area: area, tag: tag(1))
        #expect(try ring.result() == 4096)
        ring.read(file.descriptor, into: memory.bytes + 8192, length: 4096, at: 0, area: area,
                  tag: tag(2))
        #expect(try ring.result() == 4096)
        #expect(memcmp(memory.bytes + 4096, memory.bytes + 8192, 4096) == 0)
    }

    @Test(arguments: EnginePlan.tested)
    func readingBehindTheEndIsShort(_ plan: EnginePlan) throws {
        var ring = try Ring(plan, waker: Waker())
        let file = try ScratchFile(bytes: 4096)
        let memory = Memory(8192)
        ring.read(file.descriptor, into: memory.bytes, length: 8192, at: 0, tag: tag(1))
        ring.read(file.descriptor, into: memory.bytes, length: 4096, at: 8192, tag: tag(2))
        #expect(try ring.results(2) == [1: 4096, 2: 0])
    }

    @Test(arguments: EnginePlan.tested)
    func syncsComplete(_ plan: EnginePlan) throws {
        var ring = try Ring(plan, waker: Waker())
        let file = try ScratchFile(bytes: 4096)
        ring.sync(file.descriptor, dataOnly: true, tag: tag(1))
        ring.sync(file.descriptor, dataOnly: false, tag: tag(2))
        #expect(try ring.results(2) == [1: 0, 2: 0])
    }

    @Test(arguments: EnginePlan.tested)
    func holesArePunchedAndReadAsZeros(_ plan: EnginePlan) throws {
        var ring = try Ring(plan, waker: Waker())
        let file = try ScratchFile()
        let memory = Memory(16384, filledWith: 9)
        ring.allocate(file.descriptor, mode: 0, offset: 0, length: 16384, tag: tag(1))
        #expect(try ring.result() == 0)
        ring.write(file.descriptor, from: memory.bytes, length: 16384, at: 0, tag: tag(2))
        #expect(try ring.result() == 16384)
        let punchKeepingSize: Int32 = 3
        ring.allocate(file.descriptor, mode: punchKeepingSize, offset: 4096, length: 8192,
                      tag: tag(3))
        #expect(try ring.result() == 0)
        ring.read(file.descriptor, into: memory.bytes, length: 16384, at: 0, tag: tag(4))
        #expect(try ring.result() == 16384)
        #expect((0..<16384).allSatisfy { memory[$0] == ((4096..<12288).contains($0) ? 0 : 9) })
    }

    /// ENOSPC from a full device, EFBIG, ESPIPE, EISDIR, EOPNOTSUPP: answers, not reasons to stop.
    @Test(arguments: EnginePlan.tested)
    func failuresAreResults(_ plan: EnginePlan) throws {
        var ring = try Ring(plan, waker: Waker())
        let memory = Memory(4096)
        let full = open("/dev/full", O_RDWR | O_CLOEXEC)
        let folder = open("/tmp", O_RDONLY | O_CLOEXEC)
        let file = try ScratchFile(bytes: 4096)
        var pipe: [Int32] = [-1, -1]
        try #require(Glibc.pipe(&pipe) == 0)
        defer { for descriptor in [full, folder] + pipe { close(descriptor) } }

        ring.write(full, from: memory.bytes, length: 4096, at: 0, tag: tag(1))
        ring.read(folder, into: memory.bytes, length: 4096, at: 0, tag: tag(2))
        ring.write(file.descriptor, from: memory.bytes, length: 4096, at: 1 << 62, tag: tag(3))
        ring.allocate(file.descriptor, mode: 0x400, offset: 0, length: 4096, tag: tag(4))
        ring.allocate(pipe[1], mode: 0, offset: 0, length: 4096, tag: tag(5))
        let expected = [1: -ENOSPC, 2: -EISDIR, 3: -EFBIG, 4: -EOPNOTSUPP, 5: -ESPIPE]
        let results = try ring.results(5)
        #expect(results.count == 5)
        for (index, result) in results { #expect(result == expected[Int(index)]) }
    }

    @Test func anUnknownDescriptorTraps() async {
        await #expect(processExitsWith: .failure) {
            var ring = try Ring(EngineFeatures.probe().plan(for: .auto), waker: Waker())
            ring.sync(987_654, dataOnly: true, tag: OperationTag(kind: 1, index: 1))
            ring.submitAndWait(until: BootClock.now() + .seconds(5))
            _ = ring.nextCompletion()
        }
    }

    /// More than the submission queue and the libaio backend's blocks hold.
    @Test(arguments: EnginePlan.tested)
    func moreThanTheQueueHoldsIsSubmittedEarly(_ plan: EnginePlan) throws {
        var ring = try Ring(plan, waker: Waker())
        let file = try ScratchFile(bytes: 1 << 20)
        let memory = Memory(4096)
        let count = 3 * Int(RingLimits.submissionEntries) + 5
        for i in 0..<count {
            ring.read(file.descriptor, into: memory.bytes, length: 4096,
                      at: UInt64(i % 256) * 4096, tag: tag(UInt32(i)))
        }
        #expect(ring.operationsInFlight == count)
        let results = try ring.results(count)
        #expect(results.count == count)
        #expect(results.values.allSatisfy { $0 == 4096 })
        #expect(ring.operationsInFlight == 0)
    }

    /// More than the helper thread's mailbox holds.
    @Test(arguments: EnginePlan.tested)
    func manyAllocationsComplete(_ plan: EnginePlan) throws {
        var ring = try Ring(plan, waker: Waker())
        let file = try ScratchFile(bytes: 1 << 20)
        let count = 2 * RingLimits.helperJobs + 7
        for i in 0..<count {
            ring.allocate(file.descriptor, mode: 3, offset: UInt64(i % 256) * 4096, length: 4096,
                          tag: tag(UInt32(i)))
        }
        #expect(try ring.results(count).values.allSatisfy { $0 == 0 })
    }

    /// The ring ends with reads in flight: their memory may be used anew at once.
    @Test(arguments: EnginePlan.tested)
    func endingWaitsForWhatIsInFlight(_ plan: EnginePlan) throws {
        let file = try ScratchFile(bytes: 1 << 20)
        let memory = Memory(1 << 20)
        // Written, for holes are read without asking the drive.
        try #require(pwrite(file.descriptor, memory.bytes, 1 << 20, 0) == 1 << 20)
        func startReads() throws {
            var ring = try Ring(plan, waker: Waker())
            for i in 0..<256 {
                ring.read(file.descriptor, into: memory.bytes + i * 4096, length: 4096,
                          at: UInt64(i) * 4096, tag: tag(UInt32(i)))
            }
            ring.submitAndWait(until: .zero)
        }
        for _ in 0..<8 {
            try startReads()
            memory.fill(0xAA)
            #expect(memory.holds(only: 0xAA))
        }
    }
}
