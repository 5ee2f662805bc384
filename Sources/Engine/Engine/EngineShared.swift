import EngineCommands
import Glibc
import Ring
import Synchronization
import Units

/// What the loops of one engine and its users have in common.
final class EngineShared: Sendable {
    let configuration: EngineConfiguration
    let wakers: [Waker]
    let mailboxes: [Mailbox<LoopMessage>]
    let report: @Sendable (EngineReport) -> Void
    let log: @Sendable (String) -> Void
    let counters = CounterTable()
    let opener: ReplicaOpener

    init(
        configuration: EngineConfiguration, report: @escaping @Sendable (EngineReport) -> Void,
        log: @escaping @Sendable (String) -> Void
    ) throws(RingError) {
        self.configuration = configuration
        self.report = report
        self.log = log
        var wakers: [Waker] = []
        var mailboxes: [Mailbox<LoopMessage>] = []
        for _ in 0..<configuration.threads {
            let waker = try Waker()
            wakers.append(waker)
            mailboxes.append(Mailbox(capacity: EngineLimits.mailboxMessagesMax, waker: waker))
        }
        self.wakers = wakers
        self.mailboxes = mailboxes
        opener = try ReplicaOpener(cluster: configuration.cluster)
    }

    /// The loop on which a volume lives.
    func loop(of volume: VolumeID) -> Int {
        Int(truncatingIfNeeded: volume.low % UInt64(mailboxes.count))
    }

    /// False when the loop's mailbox is full or closed.
    @discardableResult
    func send(_ message: LoopMessage, to loop: Int) -> Bool { mailboxes[loop].send(message) }
}

/// Counters of every volume that was ever open here, written by loops and read by anyone.
final class CounterTable: Sendable {
    private let blocks = Mutex<[VolumeID: CounterBlock]>([:])

    func block(of volume: VolumeID) -> CounterBlock {
        blocks.withLock { blocks in
            if let block = blocks[volume] { return block }
            let block = CounterBlock()
            blocks[volume] = block
            return block
        }
    }

    func read(_ volume: VolumeID) -> VolumeCounters? {
        blocks.withLock { $0[volume] }?.values
    }
}

/// The counters of one volume: one thread writes, any may read.
final class CounterBlock: Sendable {
    let reads = Atomic<UInt64>(0)
    let writes = Atomic<UInt64>(0)
    let flushes = Atomic<UInt64>(0)
    let bytesRead = Atomic<UInt64>(0)
    let bytesWritten = Atomic<UInt64>(0)

    var values: VolumeCounters {
        var values = VolumeCounters()
        values.reads = reads.load(ordering: .relaxed)
        values.writes = writes.load(ordering: .relaxed)
        values.flushes = flushes.load(ordering: .relaxed)
        values.bytesRead = bytesRead.load(ordering: .relaxed)
        values.bytesWritten = bytesWritten.load(ordering: .relaxed)
        return values
    }

    @inline(__always)
    static func add(_ amount: UInt64, to counter: borrowing Atomic<UInt64>) {
        counter.store(counter.load(ordering: .relaxed) &+ amount, ordering: .relaxed)
    }
}
